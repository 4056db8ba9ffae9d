"""Fine-tuning: a network with a new head learns other classes, by a policy that says which parts train when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from gradlab.data import Dataset
from gradlab.training.device import DTYPES, resolve_device
from gradlab.training.feed import Feed
from gradlab.training.fit import Epoch, Fit, Listener, fit_stacked
from gradlab.training.frozen import frozen_digests
from gradlab.training.objective import CrossEntropy, Objective
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.trainee import cast_module
from gradlab.transfer.parts import parts_of, train_only, with_new_head
from gradlab.transfer.policies import Policy, Stage
from gradlab.types import UserError, derive_seed


@dataclass(frozen=True)
class Frozen:
    """What stayed as it was, compared bit by bit.

    Attributes:
        share: of the network's parameters that were frozen throughout. tensors: how many tensors these are, the statistics
            of batch norms in frozen parts among them. unchanged: how many of them are bit-equal after training.
    """

    share: float
    tensors: int
    unchanged: int


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned network.

    Attributes:
        fit: as of one training; its history has a column "stage" and counts epochs through all stages.
        start: the network before the first step. trained: how many numbers trained in the end. frozen: what did not.
    """

    fit: Fit
    start: nn.Module
    trained: int
    frozen: Frozen


def fine_tune(
    model: nn.Module,
    data: Dataset,
    policy: Policy,
    recipe: Recipe | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
    precision: Precision | None = None,
    folder: str | Path | None = None,
    checkpoint_seconds: float = 0.0,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> FineTuned:
    """Give a copy of `model` a new head for the classes of `data` and train it by a policy; the model is left as it was.

    Frozen parts stay bit-equal, the statistics of their batch norms included: these run in eval mode, `fit` compares
    digests and stops where one differs, and the result counts them once more.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits through a last linear layer.
        data: trained on its train part; weights are chosen on its validation part.
        policy: one of `POLICIES`. recipe: of all stages together, whose epochs it counts.
        seed: of the new head, the order of the images and dropout; of all weights where the policy starts from scratch.
        folder: for the checkpoints of the stages; what was interrupted goes on there and ends with the same bits.
        precision: and all else as in `gradlab.training.fit`.

    Raises:
        UserError: a policy that the network or the recipe cannot follow, and whatever `fit` refuses.
    """
    if not isinstance(data, Dataset):
        raise UserError(
            f"fine_tune reads a gradlab Dataset, got {type(data).__name__}; use gradlab.data.load(...) or from_tensors."
        )
    recipe = recipe or Recipe()
    start = with_new_head(model, data.num_classes, seed=seed, fresh=policy.fresh)
    return tune(
        start,
        policy.stages(parts_of(start), recipe),
        data,
        recipe,
        seed=seed,
        device=device,
        precision=precision,
        folder=folder,
        checkpoint_seconds=checkpoint_seconds,
        listeners=listeners,
        progress=progress,
    )


def tune(
    start: nn.Module,
    stages: Sequence[Stage],
    data: Dataset | Feed,
    recipe: Recipe,
    *,
    validation: Feed | None = None,
    seed: int,
    device: str = "auto",
    precision: Precision | None = None,
    objective: Objective | None = None,
    folder: str | Path | None = None,
    checkpoint_seconds: float = 0.0,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> FineTuned:
    """Train a network, whose head is there already, through the stages of a policy; arguments as in `fine_tune`.

    Args:
        start: cast in place to the device and the number format of training, and otherwise left as it was.
        data: and validation: images, or feeds of anything. objective: of all stages, as in `gradlab.training.fit`.
    """
    start = cast_module(start, resolve_device(device), DTYPES[recipe.precision or precision or "fp32"])
    fits: list[Fit] = []
    for number, stage in enumerate(stages):
        (done,) = fit_stacked(
            [train_only(fits[-1].model if fits else start, stage.trains)],
            data,
            stage.recipe,
            seeds=[seed if number == 0 else derive_seed(seed, "stage", number)],
            validation=validation,
            device=device,
            precision=precision,
            objective=objective,
            checkpoint=None if folder is None else Path(folder) / f"stage-{number}.safetensors",
            checkpoint_seconds=checkpoint_seconds,
            listeners=[_shifted(listener, fits, recipe.epochs) for listener in listeners],
            progress=progress,
        )
        fits.append(done)
        if done.status == "diverged":
            break
    whole = _joined(fits, recipe, objective or CrossEntropy())
    return FineTuned(
        whole, start, len_of(stages[len(fits) - 1], start), _frozen(start, whole.model, stages[: len(fits)])
    )


def len_of(stage: Stage, model: nn.Module) -> int:
    """Count the numbers that train in a stage."""
    chosen = set(stage.trains)
    return sum(one.numel() for name, one in model.named_parameters() if name in chosen)


def _shifted(listener: Listener, before: Sequence[Fit], epochs: int) -> Listener:
    """Return a listener that hears the epochs of a stage as those of the whole."""
    done = sum(fit.epochs for fit in before)

    def hear(epoch: Epoch) -> None:
        whole = replace(epoch, epoch=done + epoch.epoch, epochs=epochs)
        own = (epoch.epochs - epoch.epoch) or 1
        listener(replace(whole, seconds_left=epoch.seconds_left * (epochs - whole.epoch) / own))

    return hear


def _joined(fits: Sequence[Fit], recipe: Recipe, objective: Objective) -> Fit:
    """Return the stages as one training: the weights of the best epoch of all, or the last ones, as the recipe says."""
    rows: list[dict[str, float]] = []
    starts: list[int] = []
    for number, one in enumerate(fits):
        starts.append(len(rows))
        rows += [
            row | {"epoch": len(rows) + place, "stage": number + 1}
            for place, row in enumerate(one.history, 1)
        ]
    kept = _best(fits, recipe, objective) if recipe.keep == "best" else len(fits) - 1
    best, note = fits[kept].best_epoch, fits[-1].note
    return replace(
        fits[kept],
        seed=fits[0].seed,
        history=rows,
        best_epoch=starts[kept] + best if best or kept else 0,
        epochs=len(rows),
        status=fits[-1].status,
        note=f"stage {len(fits)}: {note}" if note and len(fits) > 1 else note,
        seconds=sum(one.seconds for one in fits),
    )  # fmt: skip


def _best(fits: Sequence[Fit], recipe: Recipe, objective: Objective) -> int:
    """Return the stage whose kept weights are best by the validation metric that the recipe selects."""
    sign = -1.0 if objective.validation[recipe.select] == "more" else 1.0
    values = [
        sign * one.history[one.best_epoch - 1][f"validation_{recipe.select}"] if one.best_epoch else None
        for one in fits
    ]
    known = [number for number, value in enumerate(values) if value is not None]
    return min(known, key=lambda number: (values[number], number), default=0)


def _frozen(start: nn.Module, end: nn.Module, stages: Sequence[Stage]) -> Frozen:
    """Compare what no stage trained, in the network before the first step and in the one that came out."""
    trained = tuple({name for stage in stages for name in stage.trains})
    before, after = (frozen_digests(train_only(one, trained)) for one in (start, end))
    counts = {name: one.numel() for name, one in start.named_parameters()}
    share = sum(count for name, count in counts.items() if name not in set(trained)) / sum(counts.values())
    return Frozen(share, len(before), sum(after.get(name) == digest for name, digest in before.items()))
