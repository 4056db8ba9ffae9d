"""Probes inside `fit`: which steps, the weights before them, and the rows of every network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gradlab.data import Split, gather
from gradlab.training.ensemble import Ensemble
from gradlab.training.loop import batch_loss
from gradlab.training.probe import fixed_batch
from gradlab.training.probe_row import ProbeRow
from gradlab.training.probes import check_steps, layers_of, measure
from gradlab.types import UserError


class FitProbes:
    """Collects the rows of every network of a training.

    Args:
        steps: after which to probe; 0 is before the first. size: images of the fixed batch.
        train: where they come from. ensemble: of all networks, to prepare the images.
    """

    def __init__(self, steps: Sequence[int], size: int, train: Split, ensemble: Ensemble) -> None:
        self.steps, self.size = frozenset(check_steps(steps)), size
        self.rows: list[list[ProbeRow]] = [[] for _ in ensemble.seeds]
        self._before: Tensor | None = None
        if self.steps:
            layers_of(ensemble.single or ensemble.module, axes=2 if ensemble.single else 3)
            batch = fixed_batch(train, size)
            indices = torch.arange(len(batch), device=batch.labels.device)
            images = gather(batch, indices, dtype=ensemble.flat.dtype)
            self._features, self._labels = ensemble.prepare(images), batch.labels

    def expect(self, ensemble: Ensemble, step: int, steps_per_epoch: int) -> None:
        """Keep the weights after `step` if the next step is probed, or may turn out to be the last."""
        following = step + 1
        wanted = following in self.steps or (self.steps and following % steps_per_epoch == 0)
        self._before = ensemble.flat.detach().clone() if wanted else None

    def after_step(self, ensemble: Ensemble, active: Sequence[int], step: int, steps_per_epoch: int) -> None:
        """Probe the networks at `active` if this step is one to probe, and look ahead to the next."""
        if step in self.steps:
            self.record(ensemble, active, step)
        if self.steps and step % steps_per_epoch:  # an epoch's last step may still prove to be the last
            self.expect(ensemble, step, steps_per_epoch)

    def record(
        self, ensemble: Ensemble, active: Sequence[int], step: int, only: Sequence[int] | None = None
    ) -> None:
        """Probe now: position p of the ensemble is network active[p]; keep the rows of the networks in `only`."""
        chosen = [(p, i) for p, i in enumerate(active) if only is None or i in only]
        if not self.steps or all(self._has(i, step) for _, i in chosen):
            return
        rows = self._measure(ensemble, step)
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

    def _measure(self, ensemble: Ensemble, step: int) -> list[list[ProbeRow]]:
        known = {} if self._before is None or step == 0 else ensemble.views(self._before)
        if ensemble.single is not None:
            return measure(ensemble.single, lambda: self._loss(ensemble), step=step, before=known)
        networks = len(ensemble.seeds)
        return measure(
            ensemble.module, lambda: self._loss(ensemble), step=step, before=known, networks=networks
        )

    def _loss(self, ensemble: Ensemble) -> Tensor:
        """Sum over the networks of the mean cross-entropy on the fixed batch."""
        networks = len(ensemble.seeds)
        logits = ensemble.forward(self._features.expand(networks, *self._features.shape))
        return batch_loss(logits, self._labels.expand(networks, -1)).sum()
