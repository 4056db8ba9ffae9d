"""Training a classifier of images: `Train`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.attacks.objectives import AdversarialTraining
from gradlab.lab.designing.procedure import DataName, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.lab.records.columns import Columns
from gradlab.models.mlp import MLP
from gradlab.models.registry import Model
from gradlab.procedures import _fits
from gradlab.procedures import _training_measures as told
from gradlab.procedures._pace import step_cost
from gradlab.procedures._predictions import (
    PREDICTIONS,
    SCORES,
    has_learned,
    prediction_table,
    scores,
    usable_logits,
    wrong_predictions,
)
from gradlab.training.alarms import alarms_of_runs
from gradlab.training.probe_row import probe_columns
from gradlab.training.recipe import Precision, Recipe
from gradlab.types import STRICT, Count, UserError, later

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset, Split
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.training.fit import Fit
    from gradlab.training.probe import LayerGradient

BLOCK = 6
"""Seeds 0-5, 6-11, … of an MLP train together, whichever are asked for, so that no record's bits depend on the others."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Custom:
    """A user's own module in a spec: known by its name and the digest of its code, initial weights and outputs."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Train(Procedure):
    """Train a network on the training images, choose its weights on the validation images, predict the test images.

    Attributes:
        data: with train, validation and test. model: the network. recipe: how it is trained.
        train_images: how many of the training images, drawn afresh for every seed; None for all.
        probe_steps: optimiser steps after which all layers are probed. probe_batch: images of the fixed batch for probes.
        single: one network for its own sake, not a seed of a study: it trains by itself, its validation images are
            scored as well, and data without test images will do.
        objective: what is minimised instead of the cross-entropy: a way of adversarial training.
    """

    kind: Literal["train"] = "train"
    data: DataName
    model: Model | Custom
    recipe: Recipe
    train_images: Count | None = None
    probe_steps: tuple[int, ...] = ()
    probe_batch: Count = 128
    single: bool = later(False)
    objective: Annotated[AdversarialTraining, Field(discriminator="kind")] | None = later(None)

    def __post_init__(self) -> None:
        if self.objective is not None and (self.recipe.label_smoothing or self.recipe.mixing is not None):
            raise UserError(
                "adversarial training attacks images of one certain label; drop label smoothing and mixing from the recipe."
            )


def _work(procedure: Train, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.training.checks import check_model, training_parts
    from gradlab.training.device import DTYPES
    from gradlab.training.first_layer import whitened
    from gradlab.training.fit import fit_stacked

    data = desk.data(procedure.data)
    if data.test is None and not procedure.single:
        raise UserError(
            f"'{data.name}' has no test images here, so its runs cannot be judged; choose data with a test part."
        )
    networks = [build_network(procedure, data, desk, job.seed or 0) for job in jobs]
    precision: Precision = procedure.recipe.precision or desk.precision  # type: ignore[assignment]
    networks = [network.to(device=desk.device, dtype=DTYPES[precision]) for network in networks]
    local = data.to(desk.device)
    train, validation = training_parts(local, None, procedure.recipe)
    check_model(networks[0], train, validation, local.num_classes)
    networks = [
        whitened(network, train, procedure.train_images, job.seed or 0)
        for network, job in zip(networks, jobs, strict=True)
    ]
    before = [_probe(network, local, procedure) for network in networks]
    starts = [_fits.start_digest(network) for network in networks]
    fits = fit_stacked(
        networks,
        local,
        procedure.recipe,
        seeds=[job.seed or 0 for job in jobs],
        device=desk.device,
        precision=precision,
        objective=procedure.objective,
        train_images=procedure.train_images,
        probe_steps=procedure.probe_steps,
        probe_batch=procedure.probe_batch,
        checkpoint=desk.checkpoint,
        checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
        listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
        progress=False,
    )
    for fit, start, digest in zip(fits, before, starts, strict=True):
        gradients = _gradients(start, _probe(fit.model, local, procedure))
        yield _outcome(procedure, fit, local, gradients, digest, desk)


def build_network(procedure: Train, data: Dataset, desk: Desk, seed: int) -> nn.Module:
    """Build the network of one seed, with its initial bits."""
    if isinstance(procedure.model, Custom):
        return desk.modules[procedure.model.name](seed)  # type: ignore[no-any-return]
    shape, mean, std = tuple(data.input_shape), tuple(data.mean), tuple(data.std)
    return procedure.model.build(shape, data.num_classes, seed=seed, mean=mean, std=std)


def _probe(network: nn.Module, data: Dataset, procedure: Train) -> list[LayerGradient]:
    """Measure the gradient norms; none of a user's module whose parameters are in no layer's weight."""
    from torch import nn

    from gradlab.training.probe import gradient_norms

    weights = [getattr(layer, "weight", None) for layer in network.modules()]
    if not any(isinstance(weight, nn.Parameter) and weight.requires_grad for weight in weights):
        return []
    return gradient_norms(network, data, batch_size=procedure.probe_batch)


def _outcome(
    procedure: Train, fit: Fit, data: Dataset, gradients: Columns, start: str, desk: Desk
) -> Outcome:
    from gradlab.procedures._gallery import most_confident_errors

    begun = time.perf_counter()
    facts = _fits.facts_of(fit, procedure.recipe, start) | {
        "input_shape": list(data.input_shape),
        "class_names": list(data.class_names),
        "mean": list(data.mean),
        "std": list(data.std),
    }
    tables = {"epochs": _fits.epochs_of(fit), "gradients": gradients}
    if procedure.single and data.validation is not None:
        facts["validation"] = scores(*_predicted(procedure, fit, data.validation, desk))
    if data.test is not None:
        logits, labels = _predicted(procedure, fit, data.test, desk)
        facts["test"] = scores(logits, labels)
        tables["predictions"] = prediction_table(logits, labels)
        tables["errors"] = most_confident_errors(usable_logits(logits), data.test)
    if procedure.probe_steps:
        tables["probes"] = probe_columns(fit.probes)
    spent = fit.seconds + time.perf_counter() - begun
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=spent)


def _predicted(procedure: Train, fit: Fit, split: Split, desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    """Return logits (N, K) and labels (N,) of a part of the data."""
    from gradlab.training.predict import predict_logits

    precision: Any = procedure.recipe.precision or desk.precision
    logits = predict_logits(fit.model, split, precision=precision)
    return logits.float().cpu().numpy(), split.labels.cpu().numpy()


def _gradients(start: list[LayerGradient], end: list[LayerGradient]) -> Columns:
    rows = [
        (when, layer.layer, layer.index, kind, norm, layer.matrix)
        for when, layers in (("start", start), ("end", end))
        for layer in layers
        for kind, norm in (("weight", layer.weight), ("bias", layer.bias))
        if norm is not None
    ]
    when, layer, index, kind, norm, matrix = zip(*rows, strict=True) if rows else ((),) * 6
    told = {} if all(matrix) else {"matrix": np.array(matrix, dtype=bool)}
    return {
        "time": np.array(when, dtype=str),
        "layer": np.array(layer, dtype=str),
        "index": np.array(index, dtype=np.int32),
        "kind": np.array(kind, dtype=str),
        "norm": np.array(norm, dtype=np.float64),
        **told,  # where some are those of norms
    }


def _describe(procedure: Train, run: Results) -> dict[str, Any]:
    facts, model = run.facts, procedure.model
    shape, classes = facts["input_shape"], len(facts["class_names"])
    layers = model.name if isinstance(model, Custom) else model.describe(shape, classes)
    told = [] if procedure.objective is None else [procedure.objective.describe()]
    recipe = ", ".join([*told, procedure.recipe.describe()])
    return {"parameters": facts["parameters"], "layers": layers, "recipe": recipe}


def _network(record: Record, desk: Desk, _store: Store) -> nn.Module:
    from gradlab.procedures._networks import network_of

    return network_of(record, desk.modules)


def _alarms(label: str, runs: Sequence[Results]) -> list[dict[str, Any]]:
    return [*alarms_of_runs(label, [told.rows_of(run) for run in runs]), *told.robust_alarms(label, runs)]


def _cost(procedure: Train, counts: Mapping[str, Mapping[str, int]]) -> float:
    images = procedure.train_images or counts[procedure.data].get("train", 1)
    passes = 1 if procedure.objective is None else procedure.objective.passes
    steps = passes * procedure.recipe.epochs * images / procedure.recipe.batch_size
    return steps * step_cost(procedure.model)


def _block(procedure: Train, precision: str) -> int:
    alone = (
        procedure.single or precision == "fp16" or (procedure.objective and not procedure.objective.stacks)
    )
    return 1 if alone or not isinstance(procedure.model, MLP) else BLOCK


TRAIN = Kind(
    name="train",
    title="training",
    configuration=Train,
    reads="images",
    work=_work,
    tables={
        "epochs": _fits.EPOCHS
        | {
            "validation_robust_accuracy": Column("robust validation accuracy", always=False, **_fits.FRACTION)
        },
        "gradients": {
            "index": Column("layer"),
            "norm": Column("gradient norm"),
            "time": Column("time", words={"start": "at the start", "end": "after training"}),
        },
        "probes": {"index": Column("layer"), "weight_gradient": Column("weight-gradient norm")},
        "predictions": PREDICTIONS,
        "errors": {},
    },
    measures={measure.name: measure for measure in (*SCORES, *told.MEASURES)},
    learned=has_learned,
    check=wrong_predictions,
    alarms=_alarms,
    describe=_describe,
    network=_network,
    here=lambda procedure: isinstance(procedure.model, Custom),
    block=_block,
    cost=_cost,
    time=told.measured_seconds,
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
