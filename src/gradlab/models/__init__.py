"""Networks: builders for MLPs, CNNs and vision transformers, nets with a name, and a door for a user's own module."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CNN": "cnn",
        "CNNNetwork": "cnn_network",
        "FastCNN": "fast_cnn",
        "FastCNNNetwork": "fast_cnn_network",
        "MLP": "mlp",
        "MLPNetwork": "mlp_network",
        "MODELS": "registry",
        "Model": "registry",
        "NETS": "named",
        "Net": "named",
        "Normalise": "normalise",
        "Summary": "layers",
        "ViT": "vit",
        "ViTNetwork": "vit_network",
        "Wrapped": "wrap",
        "build": "named",
        "find_layer": "find_layer",
        "initialise": "initialise",
        "load": "saving",
        "load_weights": "weights",
        "reinitialise": "initialise",
        "save": "saving",
        "stack": "stack",
        "summary": "summary",
        "unstack": "stack",
        "whiten": "fast_cnn_network",
        "wrap": "wrap",
    },
)

if TYPE_CHECKING:
    from gradlab.models.cnn import CNN as CNN
    from gradlab.models.cnn_network import CNNNetwork as CNNNetwork
    from gradlab.models.fast_cnn import FastCNN as FastCNN
    from gradlab.models.fast_cnn_network import FastCNNNetwork as FastCNNNetwork
    from gradlab.models.fast_cnn_network import whiten as whiten
    from gradlab.models.find_layer import find_layer as find_layer
    from gradlab.models.initialise import initialise as initialise
    from gradlab.models.initialise import reinitialise as reinitialise
    from gradlab.models.layers import Summary as Summary
    from gradlab.models.mlp import MLP as MLP
    from gradlab.models.mlp_network import MLPNetwork as MLPNetwork
    from gradlab.models.named import NETS as NETS
    from gradlab.models.named import Net as Net
    from gradlab.models.named import build as build
    from gradlab.models.normalise import Normalise as Normalise
    from gradlab.models.registry import MODELS as MODELS
    from gradlab.models.registry import Model as Model
    from gradlab.models.saving import load as load
    from gradlab.models.saving import save as save
    from gradlab.models.stack import stack as stack
    from gradlab.models.stack import unstack as unstack
    from gradlab.models.summary import summary as summary
    from gradlab.models.vit import ViT as ViT
    from gradlab.models.vit_network import ViTNetwork as ViTNetwork
    from gradlab.models.weights import load_weights as load_weights
    from gradlab.models.wrap import Wrapped as Wrapped
    from gradlab.models.wrap import wrap as wrap
