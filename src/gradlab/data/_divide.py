"""Parts that a source lacks are taken from train: stratified, and the same ones always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from gradlab.data._partition import stratified, test_size, validation_size
from gradlab.data.contents import Part, TextPart
from gradlab.data.registry import ROLES, Role

AnyPart = TypeVar("AnyPart", Part, TextPart)
Names = dict[Role, list[str]]
"""A name for each image of each part."""


def divide(
    parts: Mapping[Role, AnyPart],
    notes: list[str],
    *,
    own: bool,
    things: str = "training images",
    names: Names | None = None,
) -> dict[Role, AnyPart]:
    """Take the missing parts from train.

    Args:
        parts: as the source has them.
        notes: a sentence is added for each part that is taken from a person's own data.
        own: a person's own data, which gets a test part where it has none.
        things: what the notes call the rows of train.
        names: of each image; they follow their images into the new parts.
    Returns: the parts, train first.
    """
    whole = dict(parts)
    if own and "train" in whole and "test" not in whole:
        notes.append(_take(whole, names, "test", test_size(len(whole["train"].labels)), things))
    if "train" in whole and "validation" not in whole:
        taken = _take(whole, names, "validation", validation_size(len(whole["train"].labels)), things)
        notes += [taken] if own else []
    return {role: whole[role] for role in ROLES if role in whole}


def _take(parts: dict[Role, AnyPart], names: Names | None, role: Role, size: int, things: str) -> str:
    """Move a stratified part out of train; returns the sentence that says so."""
    train = parts["train"]
    chosen = stratified(train.labels, size)
    parts[role], parts["train"] = train.take(chosen), train.take(~chosen)
    if names is not None:
        everyone = np.array(names["train"], dtype=object)
        names[role], names["train"] = everyone[chosen].tolist(), everyone[~chosen].tolist()
    return (
        f"The source has no {role} part: {int(chosen.sum()):,} of {len(chosen):,} {things}, "
        "stratified by class and fixed, are used as such."
    )
