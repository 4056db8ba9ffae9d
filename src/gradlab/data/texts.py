"""A data set from a person's own lists of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from gradlab.data import _describe
from gradlab.data._divide import divide
from gradlab.data._labels import check_class_names, check_labels, names_from, numbers_of
from gradlab.data._sentences import check_texts, notes_of_blanks
from gradlab.data.contents import TextPart
from gradlab.data.guard import marked_as_test
from gradlab.data.loading import as_text
from gradlab.data.registry import Role
from gradlab.data.text_datasets import TextDataset
from gradlab.types import UserError

Labels = Sequence[int] | Sequence[str] | Tensor
Pair = tuple[Sequence[str], Labels]


def from_texts(
    texts: Sequence[str],
    labels: Labels,
    *,
    validation: Pair | None = None,
    test: Pair | None = None,
    class_names: Sequence[str] | None = None,
    name: str = "texts",
) -> TextDataset:
    """Make a data set of one's own sentences; missing parts are taken from the training ones, stratified and fixed.

    Args:
        texts: N sentences for training, UTF-8, without NUL.
        labels: N class names, or N integers in [0, K).
        validation: (texts, labels) likewise; about a tenth of the training sentences where not given.
        test: (texts, labels) likewise; a fifth of the training sentences where not given.
        class_names: of the K classes, in label order; found in the labels where not given.
        name: of the data set.

    Raises:
        UserError: something that is no usable text or label, or test sentences among the others; in one sentence.
    """
    given: dict[Role, Pair] = {"train": (texts, labels)}
    given |= {"validation": validation} if validation is not None else {}
    given |= {"test": test} if test is not None else {}
    values = {role: _values(pair, role) for role, pair in given.items()}
    if class_names is None:
        names = names_from(list(dict.fromkeys(values["train"])), "the train part") if values["train"] else ()
    else:
        names = tuple(class_names)
    check_class_names(names, "the data")
    parts = {role: _part(pair[0], values[role], names, role) for role, pair in given.items()}
    if len(names) < 2 or len(set(parts["train"].labels.tolist())) < 2:
        raise UserError("The train sentences are of one class only; a classifier needs at least two.")
    notes = notes_of_blanks({role: part.texts for role, part in parts.items()})
    whole = divide(parts, notes, own=True, things="training sentences")
    return as_text(_describe.texts(name, whole, names, notes))


def _values(pair: Pair, role: Role) -> list[Any]:
    """Labels as a list of texts or of whole numbers."""
    texts, labels = pair
    if isinstance(texts, str) or isinstance(labels, str):
        raise UserError(f"The {role} sentences and labels must be lists, one entry each; got a single text.")
    if role != "test" and (of := marked_as_test(labels)):
        raise UserError(
            f"The test sentences of '{of}' cannot become {role} sentences; take sentences of its train part."
        )
    if not hasattr(texts, "__len__") or not hasattr(labels, "__len__"):
        raise UserError(f"The {role} sentences and labels must be lists, one entry each; write list(...).")
    listed = labels.tolist() if isinstance(labels, Tensor | np.ndarray) else labels
    values: list[Any] = [int(value) if isinstance(value, np.integer) else value for value in listed]
    if len(values) != len(texts):
        raise UserError(f"{len(texts)} {role} sentences need as many labels, got {len(values)}.")
    kinds = {type(value) for value in values}
    if not (kinds <= {str} or kinds <= {int}):
        found = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise UserError(
            f"The {role} labels must be all texts or all whole numbers, got {found}; convert them."
        )
    if kinds == {int} and any(abs(value) >= 2**63 for value in values):
        raise UserError(f"The {role} labels have numbers beyond 64 bits; renumber them.")
    return values


def _part(texts: Sequence[str], values: list[Any], names: tuple[str, ...], role: Role) -> TextPart:
    where = f"the {role} part"
    if values and isinstance(values[0], str):
        numbers = numbers_of(values, names, where)
    else:
        numbers = np.array(values, dtype=np.int64)
        check_labels(numbers, names, where)
    return TextPart(check_texts(texts, where), numbers)
