"""What a run leaves behind, made by hand; no torch."""

import numpy as np

from gradlab.lab.record import Outcome
from gradlab.lab.spec import RunSpec
from gradlab.models.mlp import MLP
from gradlab.training.recipe import Recipe

SPEC = RunSpec(data="digits", data_checksum="sha256:ab", model=MLP(width=8), recipe=Recipe(), seed=3)


def outcome(number: float = 1.0) -> Outcome:
    return Outcome(
        facts={"status": "finished", "note": None, "number": number, "class_names": ["å", "b"]},
        epochs={"epoch": np.arange(1, 4, dtype=np.int32), "train_loss": np.array([0.1, np.nan, number])},
        gradients={"time": np.array(["start", "end"]), "norm": np.array([1e-300, 1e300])},
        predictions={
            "label": np.array([0, 1], dtype=np.int16),
            "prediction": np.array([1, 1], dtype=np.int16),
            "logit_0": np.array([0.5, -2.0], dtype=np.float32),
            "logit_1": np.array([1.5, np.inf], dtype=np.float32),
        },
        errors={"index": np.array([0]), "png": np.array(["aGk="])},
        weights=b"not really weights",
    )
