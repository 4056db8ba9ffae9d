"""Sentences with labels: one part with a mark of what it may be used for, and a data set of such parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import overload

import numpy as np
import torch
from torch import Tensor

from gradlab.data import _facts
from gradlab.data._sentences import check_texts
from gradlab.data.guard import TEST_MARK, marked_as_test
from gradlab.data.registry import ROLES, Role
from gradlab.data.splits import Index, Origin
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class TextSplit:
    """One part of a data set of sentences.

    Attributes:
        texts: N sentences.
        labels: (N,) int64 in [0, K).
        role: "train", "validation" or "test". What was test stays test in every subset and copy.
        mark: where it comes from, carried through copies; made from `role` where not given.
    """

    texts: tuple[str, ...]
    labels: Tensor
    role: Role
    mark: Origin | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise UserError(f"role must be one of {', '.join(ROLES)}, got {self.role!r}.")
        if self.labels.shape != (len(self.texts),) or self.labels.dtype != torch.int64:
            raise UserError(
                f"A split of {len(self.texts)} sentences needs labels of shape ({len(self.texts)},) and type int64, got "
                f"{tuple(self.labels.shape)} {self.labels.dtype}."
            )
        if self.mark is None:
            check_texts(self.texts, "the sentences")
            object.__setattr__(self, "texts", tuple(self.texts))
            object.__setattr__(self, "mark", Origin("texts", self.role))
        name = marked_as_test(self.labels) or self.origin.name
        if self.role != "test" and (self.origin.role == "test" or marked_as_test(self.labels)):
            raise UserError(
                f"The test sentences of '{name}' cannot become a {self.role} split; take sentences of its train part."
            )
        if self.role == "test":
            setattr(self.labels, TEST_MARK, name)

    @property
    def origin(self) -> Origin:
        """Where it comes from: data set, first role, digest of the whole part."""
        return self.mark or Origin("texts", self.role)

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, index: Index) -> TextSplit: ...
    def __getitem__(self, index: int | Index) -> TextSplit | tuple[str, int]:
        """Return the sentences at a slice, at integer positions or under a mask, as a split of the same role.

        A single integer gives (sentence, label).
        """
        if isinstance(index, int | np.integer):
            return self.texts[index], int(self.labels[index])
        if not isinstance(index, slice):
            index = torch.as_tensor(index, device=self.labels.device)
        positions = torch.arange(len(self), device=self.labels.device)[index].tolist()
        texts = tuple(self.texts[i] for i in positions)
        return TextSplit(texts, self.labels[index], self.role, replace(self.origin, digest=None))

    def to(self, device: torch.device | str) -> TextSplit:
        """Return this split with its labels on `device`; itself where they are there already."""
        labels = self.labels.to(device)
        return self if labels is self.labels else TextSplit(self.texts, labels, self.role, self.origin)

    def __repr__(self) -> str:
        return f"TextSplit({len(self):,} {self.role} sentences of '{self.origin.name}')"


@dataclass(frozen=True, eq=False)
class TextDataset:
    """Train, validation and test part of one data set of sentences; a part that does not exist is None.

    Attributes:
        name: of the data set.
        train: what trains.
        validation: what selects (stops, tunes); fixed for all seeds and arms.
        test: what is looked at once, at the end.
        class_names: in label order.
        notes: sentences about what was done to the data or found in them.
    """

    name: str
    train: TextSplit | None
    validation: TextSplit | None
    test: TextSplit | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.splits:
            raise UserError(f"Data '{self.name}' has no part at all; give it at least one.")
        for role, split in self.splits.items():
            if split.role != role:
                raise UserError(
                    f"The {role} part of '{self.name}' must be a {role} split, got the {split.role} split of "
                    f"'{split.origin.name}'."
                )

    @property
    def splits(self) -> dict[Role, TextSplit]:
        """The parts that exist, by role."""
        found: dict[Role, TextSplit | None] = {r: getattr(self, r) for r in ROLES}
        return {role: split for role, split in found.items() if split is not None}

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @cached_property
    def checksum(self) -> str:
        """ "sha256:..." over sentences, labels, parts and class names, as they are now."""
        digests = {str(role): split.origin.digest or _digest(split) for role, split in self.splits.items()}
        return _facts.checksum(digests, self.class_names)

    def trainable(self) -> tuple[TextSplit, TextSplit]:
        """Return (train, validation).

        Raises:
            UserError: one of them does not exist here.
        """
        if self.train is None or self.validation is None:
            missing = "train" if self.train is None else "validation"
            raise UserError(
                f"Data '{self.name}' has no {missing} part here (only {', '.join(self.splits)}), so nothing can be "
                "trained on it; provide its files or take another data set."
            )
        return self.train, self.validation

    def to(self, device: torch.device | str) -> TextDataset:
        """Return this data set with its labels on `device`."""
        moved = {role: split.to(device) for role, split in self.splits.items()}
        return replace(
            self, train=moved.get("train"), validation=moved.get("validation"), test=moved.get("test")
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(split):,} {role}" for role, split in self.splits.items())
        names = ", ".join(self.class_names[:4]) + (", …" if self.num_classes > 4 else "")
        return f"TextDataset('{self.name}': {counts}; sentences, {self.num_classes} classes ({names}))"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, str]] = [
            *((str(role), f"{len(split):,} sentences") for role, split in self.splits.items()),
            ("classes", f"{self.num_classes}: {', '.join(self.class_names)}"),
            ("checksum", self.checksum),
            *(("note", note) for note in self.notes),
        ]
        cells = "".join(f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in rows)
        return f"<table><caption>{escape(self.name)}</caption>{cells}</table>"


def _digest(split: TextSplit) -> str:
    return _facts.text_digest(split.texts, split.labels.cpu().numpy())
