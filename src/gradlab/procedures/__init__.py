"""What a run can do, one kind a file: configuration, tables, measures, and the work itself."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Attack": "attack",
        "Certify": "certify",
        "ClipPretrain": "clip_pretrain",
        "ClipTune": "clip_tune",
        "ClipZeroShot": "clip_zero_shot",
        "Distil": "distil",
        "Disturb": "disturb",
        "Explain": "explain",
        "ExplainTexts": "explain_texts",
        "FineTune": "fine_tune",
        "FitHead": "fit_head",
        "FromRecord": "sources",
        "Given": "sources",
        "PROCEDURES": "registry",
        "Pretrained": "sources",
        "PretrainedCLIP": "pretrained_clip",
        "PretrainedEncoder": "text_encoder",
        "Saved": "sources",
        "Score": "score",
        "Snapshot": "snapshot",
        "TOOLBOX": "toolbox",
        "TextFeatures": "text_features",
        "TextHead": "text_features",
        "TextFineTune": "text_finetune",
        "TextOverlap": "text_overlap",
        "TextPretrain": "text_pretrain",
        "TextTowerPretrain": "text_tower_pretrain",
        "TextTrain": "text_train",
        "Train": "train",
        "TrainAutoencoder": "train_autoencoder",
        "Untrained": "text_encoder",
        "classifier_of": "text_finetune",
        "clip_source": "pretrained_clip",
        "encoder_source": "text_encoder",
        "network_of": "_networks",
        "usable_logits": "_predictions",
    },
)

if TYPE_CHECKING:
    from gradlab.procedures._networks import network_of as network_of
    from gradlab.procedures._predictions import usable_logits as usable_logits
    from gradlab.procedures.attack import Attack as Attack
    from gradlab.procedures.certify import Certify as Certify
    from gradlab.procedures.clip_pretrain import ClipPretrain as ClipPretrain
    from gradlab.procedures.clip_tune import ClipTune as ClipTune
    from gradlab.procedures.clip_zero_shot import ClipZeroShot as ClipZeroShot
    from gradlab.procedures.distil import Distil as Distil
    from gradlab.procedures.disturb import Disturb as Disturb
    from gradlab.procedures.explain import Explain as Explain
    from gradlab.procedures.explain_texts import ExplainTexts as ExplainTexts
    from gradlab.procedures.fine_tune import FineTune as FineTune
    from gradlab.procedures.fit_head import FitHead as FitHead
    from gradlab.procedures.pretrained_clip import PretrainedCLIP as PretrainedCLIP
    from gradlab.procedures.pretrained_clip import clip_source as clip_source
    from gradlab.procedures.registry import PROCEDURES as PROCEDURES
    from gradlab.procedures.score import Score as Score
    from gradlab.procedures.snapshot import Snapshot as Snapshot
    from gradlab.procedures.sources import FromRecord as FromRecord
    from gradlab.procedures.sources import Given as Given
    from gradlab.procedures.sources import Pretrained as Pretrained
    from gradlab.procedures.sources import Saved as Saved
    from gradlab.procedures.text_encoder import PretrainedEncoder as PretrainedEncoder
    from gradlab.procedures.text_encoder import Untrained as Untrained
    from gradlab.procedures.text_encoder import encoder_source as encoder_source
    from gradlab.procedures.text_features import TextFeatures as TextFeatures
    from gradlab.procedures.text_features import TextHead as TextHead
    from gradlab.procedures.text_finetune import TextFineTune as TextFineTune
    from gradlab.procedures.text_finetune import classifier_of as classifier_of
    from gradlab.procedures.text_overlap import TextOverlap as TextOverlap
    from gradlab.procedures.text_pretrain import TextPretrain as TextPretrain
    from gradlab.procedures.text_tower_pretrain import TextTowerPretrain as TextTowerPretrain
    from gradlab.procedures.text_train import TextTrain as TextTrain
    from gradlab.procedures.toolbox import TOOLBOX as TOOLBOX
    from gradlab.procedures.train import Train as Train
    from gradlab.procedures.train_autoencoder import TrainAutoencoder as TrainAutoencoder
