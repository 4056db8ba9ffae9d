"""The guard that keeps test images out of whatever trains or selects."""

from __future__ import annotations

from typing import Any

from gradlab.types import UserError

TEST_MARK = "_gradlab_test_of"
"""Attribute that a tensor of test images carries: the name of its data set."""


def refuse_test(thing: object, purpose: str) -> None:
    """Raise if `thing` holds test images; everything that trains or selects calls this first.

    It looks at the role of a Split or feed and of what it was made from, and through tensors of a split (and slices of
    them), lists, and what PyTorch wraps around them: Subset, ConcatDataset, TensorDataset, DataLoader. A Dataset passes,
    since its train and validation part are taken.

    Args:
        thing: what was handed over.
        purpose: who asks, such as "fit"; the sentence begins with it.

    Raises:
        UserError: it is, wraps or is cut from a test split.
    """
    name = _test_inside(thing, set())
    if name is not None:
        raise UserError(
            f"{purpose} trains and selects on train and validation only, got the test split of '{name}'; pass the data "
            "set itself (its train and validation part are taken) or its train part."
        )


def marked_as_test(tensor: Any) -> str | None:
    """Name of the data set whose test images `tensor` is, or is a view of; None otherwise."""
    for one in (tensor, getattr(tensor, "_base", None)):
        name = getattr(one, TEST_MARK, None)
        if isinstance(name, str):
            return name
    return None


def _test_inside(thing: Any, seen: set[int]) -> str | None:
    if thing is None or isinstance(thing, (str, bytes, int, float)) or id(thing) in seen:
        return None
    seen.add(id(thing))
    origin = getattr(thing, "origin", None)
    if "test" in (getattr(thing, "role", None), getattr(origin, "role", None)):
        return str(getattr(origin, "name", "these data"))
    if name := marked_as_test(thing):
        return name
    if isinstance(thing, dict):
        inside = list(thing.values())
    elif isinstance(thing, (list, tuple)):
        inside = list(thing)
    else:
        inside = [getattr(thing, name, None) for name in ("dataset", "datasets", "tensors")]
    return next((name for one in inside if (name := _test_inside(one, seen))), None)
