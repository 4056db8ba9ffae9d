"""The studies, by the name that the command line and `gradlab.run` take."""

from gradlab.studies.activations import activations
from gradlab.studies.adversarial_training import adversarial_training
from gradlab.studies.attacks import attacks
from gradlab.studies.attention_under_attack import attention_under_attack
from gradlab.studies.clip_lora import clip_lora
from gradlab.studies.clip_zero_shot import clip_zero_shot
from gradlab.studies.compare import compare
from gradlab.studies.distillation import distillation
from gradlab.studies.epochs_and_ood import epochs_and_ood
from gradlab.studies.fgsm_budget import fgsm_budget
from gradlab.studies.mlp_capacity import mlp_capacity
from gradlab.studies.networks import networks
from gradlab.studies.odin import odin
from gradlab.studies.ood_after_adversarial_training import ood_after_adversarial_training
from gradlab.studies.ood_detection import ood_detection
from gradlab.studies.optimisers import optimisers
from gradlab.studies.regularisers import regularisers
from gradlab.studies.residual_cnn import residual_cnn
from gradlab.studies.residual_mlp import residual_mlp
from gradlab.studies.setup import Study
from gradlab.studies.targeted_attacks import targeted_attacks
from gradlab.studies.text_features import text_features
from gradlab.studies.text_finetuning import text_finetuning
from gradlab.studies.text_layers import text_layers
from gradlab.studies.text_ood import text_ood
from gradlab.studies.tour import tour
from gradlab.studies.transfer import transfer
from gradlab.studies.where_it_looks import where_it_looks

STUDIES: dict[str, Study] = {
    "tour": tour,
    "residual-mlp": residual_mlp,
    "mlp-capacity": mlp_capacity,
    "activations": activations,
    "regularisers": regularisers,
    "optimisers": optimisers,
    "residual-cnn": residual_cnn,
    "transfer": transfer,
    "distillation": distillation,
    "networks": networks,
    "attacks": attacks,
    "targeted-attacks": targeted_attacks,
    "fgsm-budget": fgsm_budget,
    "adversarial-training": adversarial_training,
    "ood-detection": ood_detection,
    "odin": odin,
    "ood-after-adversarial-training": ood_after_adversarial_training,
    "epochs-and-ood": epochs_and_ood,
    "where-it-looks": where_it_looks,
    "attention-under-attack": attention_under_attack,
    "text-layers": text_layers,
    "text-features": text_features,
    "text-finetuning": text_finetuning,
    "text-ood": text_ood,
    "clip-zero-shot": clip_zero_shot,
    "clip-lora": clip_lora,
    "compare": compare,
}
