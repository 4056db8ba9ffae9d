"""What a model folder says about itself, read without torch."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from gradlab.types import UserError

WEIGHTS, FACTS = "model.safetensors", "model.json"


def is_model_folder(path: Path) -> bool:
    """Whether a model lies there."""
    return (path / FACTS).is_file()


def read_facts(folder: Path) -> dict[str, Any]:
    """Read a folder's model.json.

    Raises:
        UserError: there is none, or it is damaged.
    """
    path = folder / FACTS
    if not path.is_file():
        raise UserError(
            f"{folder} holds no model ({FACTS} is missing); give a folder that gradlab train or export wrote."
        )
    try:
        return check_facts(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged; restore it, or train again.") from error


def check_facts(facts: Any) -> dict[str, Any]:
    """Return the facts if they name an input shape and classes as they should, else raise ValueError."""
    if not isinstance(facts, dict):
        raise ValueError("no object")
    shape, names = facts.get("input_shape"), facts.get("class_names")
    sizes = isinstance(shape, list) and len(shape) == 3 and all(_is_count(size) for size in shape)
    if (
        not sizes
        or not isinstance(names, list)
        or not names
        or not all(isinstance(one, str) for one in names)
    ):
        raise ValueError("no input shape or class names")
    for key in ("mean", "std"):
        numbers = facts.get(key, [])
        if not isinstance(numbers, list) or not all(
            isinstance(one, int | float) and math.isfinite(one) for one in numbers
        ):
            raise ValueError(f"{key} holds no numbers")
    return facts


def _is_count(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size < 2**20
