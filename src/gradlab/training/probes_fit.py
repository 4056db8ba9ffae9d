"""Probes inside `fit`: which steps, the weights before them, and the rows of every network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor

from gradlab.training.feed import Feed, Inputs
from gradlab.training.objective import batch_loss
from gradlab.training.probe import fixed_indices
from gradlab.training.probe_row import ProbeRow
from gradlab.training.probes import check_steps, layers_of, measure
from gradlab.training.trainee import Trainee
from gradlab.types import UserError


class FitProbes:
    """Collects the rows of every network of a training.

    Args:
        steps: after which to probe; 0 is before the first. size: images of the fixed batch.
        train: where they come from. trainee: of all networks. prepared: whether the feed prepares what it gives.
    """

    def __init__(
        self, steps: Sequence[int], size: int, train: Feed, trainee: Trainee, *, prepared: bool = True
    ) -> None:
        self.steps, self.size = frozenset(check_steps(steps)), size
        self.rows: list[list[ProbeRow]] = [[] for _ in trainee.seeds]
        self._before: list[Tensor] | None = None
        if self.steps:
            layers_of(trainee.module, axes=3 if trainee.stacked else 2)
            indices = fixed_indices(train.labels, size)
            inputs = _copied(train.batch(indices))
            self._inputs: Inputs = inputs if prepared else trainee.prepare(cast(Tensor, inputs))
            self._labels = train.labels[indices]

    def expect(self, trainee: Trainee, step: int, steps_per_epoch: int) -> None:
        """Keep the weights after `step` if the next step is probed, or may turn out to be the last."""
        following = step + 1
        wanted = following in self.steps or (self.steps and following % steps_per_epoch == 0)
        self._before = [flat.detach().clone() for flat in trainee.trained.flats] if wanted else None

    def after_step(self, trainee: Trainee, active: Sequence[int], step: int, steps_per_epoch: int) -> None:
        """Probe the networks at `active` if this step is one to probe, and look ahead to the next."""
        if step in self.steps:
            self.record(trainee, active, step)
        if self.steps and step % steps_per_epoch:  # an epoch's last step may still prove to be the last
            self.expect(trainee, step, steps_per_epoch)

    def record(
        self, trainee: Trainee, active: Sequence[int], step: int, only: Sequence[int] | None = None
    ) -> None:
        """Probe now: position p of the trainee is network active[p]; keep the rows of the networks in `only`."""
        chosen = [(p, i) for p, i in enumerate(active) if only is None or i in only]
        if not self.steps or all(self._has(i, step) for _, i in chosen):
            return
        rows = self._measure(trainee, step)
        for position, index in chosen:
            if not self._has(index, step):
                self.rows[index] += rows[position]

    def facts(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, as JSON values."""
        return {
            "steps": sorted(self.steps),
            "size": self.size,
            "rows": [[list(vars(row).values()) for row in rows] for rows in self.rows],
        }

    def restore(self, facts: dict[str, Any] | None, step: int, active: Sequence[int]) -> None:
        """Go on from what `facts` returned when `step` steps had been taken.

        Raises:
            UserError: up to that step the checkpoint was to probe elsewhere.
        """
        facts = facts or {"steps": [], "size": self.size, "rows": [[] for _ in self.rows]}
        before, now = ({s for s in steps if s <= step} for steps in (facts["steps"], self.steps))
        if before != now or (self.steps and facts["size"] != self.size):
            raise UserError(
                f"the checkpoint was probed after other steps or on another batch (steps {sorted(before)[:9]}, "
                f"{facts['size']} images); ask for the same probe_steps or delete it to start afresh."
            )
        every = [[ProbeRow(*values) for values in rows] for rows in facts["rows"]]
        self.rows = [  # what was the last step of a shorter training is none any more
            [row for row in rows if row.step in self.steps] if index in active else rows
            for index, rows in enumerate(every)
        ]

    def _has(self, index: int, step: int) -> bool:
        return bool(self.rows[index]) and self.rows[index][-1].step == step

    def _measure(self, trainee: Trainee, step: int) -> list[list[ProbeRow]]:
        known = {} if self._before is None or step == 0 else trainee.trained.views(self._before)
        networks = len(trainee.seeds) if trainee.stacked else None
        return measure(
            trainee.module, lambda: self._loss(trainee), step=step, before=known, networks=networks
        )

    def _loss(self, trainee: Trainee) -> Tensor:
        """Sum over the networks of the mean cross-entropy on the fixed batch."""
        networks, inputs = len(trainee.seeds), self._inputs
        every: Inputs
        if isinstance(inputs, Tensor):
            every = inputs.expand(networks, *inputs.shape)
        else:
            every = {name: one.expand(networks, *one.shape) for name, one in inputs.items()}
        return batch_loss(trainee.forward(every), self._labels.expand(networks, -1)).sum()


def _copied(inputs: Inputs) -> Inputs:
    """Copy a batch, whose memory the next one may take."""
    if isinstance(inputs, Tensor):
        return inputs.clone()
    return {name: one.clone() for name, one in inputs.items()}
