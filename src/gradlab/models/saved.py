"""What a model folder says about itself, read without torch."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradlab.types import UserError

WEIGHTS, FACTS = "model.safetensors", "model.json"
FORMAT = 1
CHECKSUM = "facts_checksum"
KINDS = {
    **dict.fromkeys(("recipe", "training", "metrics", "images"), dict),
    **dict.fromkeys(("data", "data_checksum", "precision"), str),
    "seed": int,
    "data_notes": list,
}
"""What else a model.json may say -> the kind of its value."""


def is_model_folder(path: Path) -> bool:
    """Whether a model lies there."""
    return (path / FACTS).is_file()


def read_facts(folder: Path) -> dict[str, Any]:
    """Read a folder's model.json.

    Raises:
        UserError: there is none, it is damaged, of another format, or was changed after it was written.
    """
    path = folder / FACTS
    if not path.is_file():
        raise UserError(
            f"{folder} holds no model ({FACTS} is missing); give a folder that gradlab train or export wrote."
        )
    try:
        facts = check_facts(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged; restore it, or train again.") from error
    if facts.get("format") != FORMAT:
        raise UserError(
            f"{path} is of format {facts.get('format')!r}, and this version of gradlab reads format {FORMAT}; take the "
            "version that wrote it, or train again."
        )
    if facts.get(CHECKSUM) != checksum_of(facts):
        raise UserError(f"{path} was changed after it was written; restore it, or train again.")
    return facts


def refuse_no_place(path: Path) -> None:
    """Raise UserError where nothing can be written at `path`: a link to nowhere, or a file that it lies below."""
    if path.is_symlink() and not path.exists():
        raise UserError(f"{path} is a link that leads nowhere; give another path.")
    for above in path.parents:
        if above.exists() and not above.is_dir():
            raise UserError(f"{above} is a file; give a path in a folder.")


def checksum_of(facts: Mapping[str, Any]) -> str:
    """Return "sha256:..." over all that a model.json says beside this checksum itself."""
    rest = {name: value for name, value in facts.items() if name != CHECKSUM}
    return f"sha256:{hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()}"


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
    for key, kind in KINDS.items():
        if facts.get(key) is not None and not isinstance(facts[key], kind):
            raise ValueError(f"{key} is not what it should be")
    if not all(isinstance(one, dict) for one in (facts.get("metrics") or {}).values()):
        raise ValueError("metrics are not by part")
    return facts


def _is_count(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size < 2**20
