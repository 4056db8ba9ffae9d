"""The kinds of procedures, by the name that specs and designs hold."""

from gradlab.lab.kinds import Kind
from gradlab.procedures.attack import ATTACK
from gradlab.procedures.certify import CERTIFY
from gradlab.procedures.clip_pretrain import CLIP_PRETRAIN
from gradlab.procedures.clip_tune import CLIP_TUNE
from gradlab.procedures.clip_zero_shot import CLIP_ZERO_SHOT
from gradlab.procedures.distil import DISTIL
from gradlab.procedures.disturb import DISTURB
from gradlab.procedures.explain import EXPLAIN
from gradlab.procedures.explain_texts import EXPLAIN_TEXTS
from gradlab.procedures.fine_tune import FINE_TUNE
from gradlab.procedures.fit_head import FIT_HEAD
from gradlab.procedures.pretrained_clip import CLIP_SOURCE
from gradlab.procedures.score import SCORE
from gradlab.procedures.snapshot import SNAPSHOT
from gradlab.procedures.sources import GIVEN, PRETRAINED, RECORD, SAVED
from gradlab.procedures.text_encoder import ENCODER, UNTRAINED
from gradlab.procedures.text_features import TEXT_FEATURES, TEXT_HEAD
from gradlab.procedures.text_finetune import TEXT_FINETUNE
from gradlab.procedures.text_overlap import TEXT_OVERLAP
from gradlab.procedures.text_pretrain import TEXT_PRETRAIN
from gradlab.procedures.text_tower_pretrain import TEXT_TOWER_PRETRAIN
from gradlab.procedures.text_train import TEXT_TRAIN
from gradlab.procedures.train import TRAIN
from gradlab.procedures.train_autoencoder import TRAIN_AUTOENCODER

PROCEDURES: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        TRAIN,
        ATTACK,
        CERTIFY,
        SCORE,
        FIT_HEAD,
        FINE_TUNE,
        DISTIL,
        SNAPSHOT,
        TEXT_TRAIN,
        TEXT_PRETRAIN,
        TEXT_TOWER_PRETRAIN,
        UNTRAINED,
        TEXT_FEATURES,
        TEXT_HEAD,
        TEXT_FINETUNE,
        TEXT_OVERLAP,
        TRAIN_AUTOENCODER,
        EXPLAIN,
        DISTURB,
        EXPLAIN_TEXTS,
        CLIP_PRETRAIN,
        CLIP_ZERO_SHOT,
        CLIP_TUNE,
        CLIP_SOURCE,
        GIVEN,
        RECORD,
        PRETRAINED,
        SAVED,
        ENCODER,
    )
}
