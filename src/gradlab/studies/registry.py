"""The studies, by the name that the command line and `gradlab.run` take."""

from gradlab.studies.activations import activations
from gradlab.studies.attention_under_attack import attention_under_attack
from gradlab.studies.compare import compare
from gradlab.studies.distillation import distillation
from gradlab.studies.mlp_capacity import mlp_capacity
from gradlab.studies.optimisers import optimisers
from gradlab.studies.regularisers import regularisers
from gradlab.studies.residual_cnn import residual_cnn
from gradlab.studies.residual_mlp import residual_mlp
from gradlab.studies.setup import Study
from gradlab.studies.text_layers import text_layers
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
    "text-layers": text_layers,
    "where-it-looks": where_it_looks,
    "attention-under-attack": attention_under_attack,
    "compare": compare,
}
