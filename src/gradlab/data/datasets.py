"""A data set as tensors: train, validation and test, with the facts that a model and a record need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import torch

from gradlab.data import _facts
from gradlab.data.registry import ROLES, Role
from gradlab.data.splits import Split
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train, validation and test part of one data set; a part that does not exist is None.

    Attributes:
        name: of the data set.
        train: what trains.
        validation: what selects (stops, tunes); fixed for all seeds and arms.
        test: what is looked at once, at the end.
        class_names: in label order.
        notes: sentences about what was done to the data or found in them.
    """

    name: str
    train: Split | None
    validation: Split | None
    test: Split | None
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
            if split.images.shape[1:] != self.input_shape:
                raise UserError(f"All parts of '{self.name}' must have images of one shape; resize them.")

    @property
    def splits(self) -> dict[Role, Split]:
        """The parts that exist, by role."""
        found: dict[Role, Split | None] = {r: getattr(self, r) for r in ROLES}
        return {role: split for role, split in found.items() if split is not None}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        _, channels, height, width = next(iter(self.splits.values())).images.shape
        return channels, height, width

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of each channel over train, on the [0, 1] scale; empty without a train part."""
        return self._statistics[0]

    @property
    def std(self) -> tuple[float, ...]:
        """Population standard deviation of each channel over train; 1 for a constant channel."""
        return self._statistics[1]

    @cached_property
    def _statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        if self.train is None:
            return (), ()
        if self.train.origin.mean:
            return self.train.origin.mean, self.train.origin.std
        return _facts.channel_statistics(self.train.images.cpu().numpy())

    @cached_property
    def checksum(self) -> str:
        """ "sha256:..." over pixels, labels, parts and class names, as they are now."""
        digests = {role: split.origin.digest or _digest(split) for role, split in self.splits.items()}
        return _facts.checksum({str(role): value for role, value in digests.items()}, self.class_names)

    def trainable(self) -> tuple[Split, Split]:
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

    def to(self, device: torch.device | str) -> Dataset:
        """Return this data set on `device`."""
        moved = {role: split.to(device) for role, split in self.splits.items()}
        return replace(
            self, train=moved.get("train"), validation=moved.get("validation"), test=moved.get("test")
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(split):,} {role}" for role, split in self.splits.items())
        names = ", ".join(self.class_names[:4]) + (", …" if self.num_classes > 4 else "")
        shape = "×".join(map(str, self.input_shape))
        return f"Dataset('{self.name}': {counts}; images {shape}, {self.num_classes} classes ({names}))"

    def _repr_html_(self) -> str:
        rows: list[tuple[str, str]] = [
            (role, f"{len(split):,} images") for role, split in self.splits.items()
        ]
        rows += [
            ("images", " × ".join(map(str, self.input_shape)) + ", uint8"),
            ("classes", f"{self.num_classes}: {', '.join(self.class_names)}"),
            ("checksum", self.checksum),
            *(("note", note) for note in self.notes),
        ]
        cells = "".join(
            f"<tr><th>{escape(str(key))}</th><td>{escape(value)}</td></tr>" for key, value in rows
        )
        return f"<table><caption>{escape(self.name)}</caption>{cells}</table>"


def _digest(split: Split) -> str:
    return _facts.digest(split.images.cpu().numpy(), split.labels.cpu().numpy())
