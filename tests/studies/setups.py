"""Where a study runs, without any data."""

from gradlab.procedures.text_encoder import PretrainedEncoder
from gradlab.studies._shared import MNIST
from gradlab.studies.setup import Preset, Setup

ENCODER = PretrainedEncoder(
    config="config.json", weights=("model.safetensors",), tokenizer=("tokenizer.json",)
)
"""An encoder of texts whose files are nowhere."""


def setup(preset: Preset = "standard", data: str = "mnist", **more) -> Setup:
    known = {
        "mnist": {"train_images": 55_000, "checksum": MNIST},
        "digits": {"train_images": 1_293, "checksum": "sha256:0"},
        "cifar10": {"train_images": 45_000, "image_size": 32, "channels": 3},
    }[data]
    return Setup(preset=preset, data=data, class_count=10, **(known | more))
