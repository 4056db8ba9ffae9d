"""A classical head on the features of another run's network: `FitHead`, what its runs write, and the work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Measure, Outcome
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress
from gradlab.metrics import f1
from gradlab.procedures._costs import COSTS
from gradlab.procedures._embedding import EMBEDDING, embedding
from gradlab.procedures._predictions import PREDICTIONS, SCORES, has_learned
from gradlab.transfer.heads import Head
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset, TextDataset
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.transfer import FittedHead

PARTS = ("train", "validation", "test")
WEIGHTS = {"linear-svm": 40.0, "rbf-svm": 100.0, "nearest-neighbours": 6.0, "logistic-regression": 10.0}
"""Relative time of fitting a head, beside that of the features."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FitHead(Procedure):
    """Fit a classical head to the features of a frozen network; nothing in it is random.

    Attributes:
        net: whose features. data: on whose training features the head is fitted, with validation and test images.
        head: the head, and what is tried on validation. layer: of the features; left out: the input of the last linear one.
    """

    kind: Literal["fit-head"] = "fit-head"
    net: Input
    data: DataName
    head: Annotated[Head, Field(discriminator="kind")]
    layer: str | None = None


def _work(procedure: FitHead, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    data = desk.data(procedure.data)
    missing = [role for role in PARTS if getattr(data, role) is None]
    if missing:
        raise UserError(
            f"'{data.name}' has no {missing[0]} images here, and a head needs them; choose other data."
        )
    for job in jobs:
        yield _fit(procedure, job, desk, data)


def _fit(procedure: FitHead, job: Job, desk: Desk, data: Dataset) -> Outcome:
    from gradlab.transfer import features

    network = job.network()
    splits = [data.splits[role] for role in PARTS]  # type: ignore[index]
    total = len(PARTS) + 1

    def part(number: int) -> Mapping[str, Any]:
        found = features(network, splits[number].to(desk.device), procedure.layer)
        desk.tell(Progress((number + 1) / total, f"features of {PARTS[number]} images", given=number / total))
        return {"features": found}

    parts = [one["features"].numpy() for one in desk.in_parts(f"features-{job.spec['inputs']['net']}", 3, part)]  # fmt: skip
    labels = [split.labels.cpu().numpy() for split in splits]
    outcome = head_outcome(procedure.head, parts, labels, data, desk)
    outcome.tables["embedding"] = embedding(network, data.test, procedure.layer)  # type: ignore[arg-type]
    return outcome


def head_outcome(
    config: Head,
    parts: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    data: Dataset | TextDataset,
    desk: Desk,
    things: str = "images",
) -> Outcome:
    """Fit a head and predict the test samples.

    Args:
        parts: features (N, D) of training, validation and test samples. labels: (N,) of each. things: what the samples are.

    Raises:
        UserError: training samples of some of the classes only.
    """
    import threadpoolctl

    from gradlab.transfer import fit_head

    limit: Any = threadpoolctl.threadpool_limits
    with limit(limits=desk.threads):
        head = fit_head(config, (parts[0], labels[0]), (parts[1], labels[1]))
        if len(head.classes) != data.num_classes:
            raise UserError(
                f"'{data.name}' has training {things} of {len(head.classes)} of its {data.num_classes} classes; a head needs "
                "some of every class."
            )
        scores = head.scores(parts[2]).astype(np.float32)
    desk.tell(Progress(1.0, f"{config.kind} fitted", given=len(PARTS) / (len(PARTS) + 1)))
    tables: dict[str, Columns] = {
        "predictions": _predictions(scores, labels[2]),
        "choices": _choices(head),
    }
    facts = {
        "status": "finished",
        "note": None,
        "parameters": head.numbers,
        "features": int(parts[0].shape[1]),
        "images": head.images,
        "chosen": dict(head.chosen.setting),
        "converged": head.chosen.converged,
        "validation": {"accuracy": head.chosen.accuracy},
        "test": _shares(tables["predictions"]),
        "class_names": list(data.class_names),
    }
    return Outcome(facts, tables)


def _predictions(scores: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    found = {"label": labels.astype(np.int16), "prediction": scores.argmax(1).astype(np.int16)}
    return found | {f"score_{k}": scores[:, k] for k in range(scores.shape[1])}


def _choices(head: FittedHead) -> dict[str, np.ndarray]:
    told = [", ".join(f"{name} {value:g}" for name, value in one.setting.items()) for one in head.tried]
    return {
        "setting": np.array(told, dtype=str),
        "accuracy": np.array([one.accuracy for one in head.tried], dtype=np.float64),
        "converged": np.array([one.converged for one in head.tried], dtype=bool),
        "chosen": np.array([one is head.chosen for one in head.tried], dtype=bool),
    }


def _shares(table: Mapping[str, np.ndarray]) -> dict[str, float]:
    label, prediction = (table[name].astype(np.int64) for name in ("label", "prediction"))
    return {
        "accuracy": float((label == prediction).mean()),
        "f1_macro": f1(prediction, label, how="macro"),
    }


def _validation_accuracy(run: Results) -> float:
    table = run.table("choices")
    return float(table["accuracy"][table["chosen"].astype(bool)][0])


def _check(run: Results) -> list[str]:
    """Name what does not follow from the scores, and a choice that is not the best."""
    table = run.table("predictions")
    names = [name for name in table if name.startswith("score_")]
    wrong = []
    if names:
        scores = np.stack([table[f"score_{k}"] for k in range(len(names))], axis=1)
        wrong += [] if np.array_equal(scores.argmax(1), table["prediction"]) else ["prediction"]
    stored = run.facts.get("test", {})
    fresh = _shares(table) if "label" in table and "prediction" in table else {}
    wrong += [name for name, value in fresh.items() if not math.isclose(stored[name], value, rel_tol=1e-9)]
    tried = run.table("choices")
    if "accuracy" in tried and "chosen" in tried:
        best = int(tried["accuracy"].argmax())
        is_best = tried["chosen"].tolist() == [place == best for place in range(len(tried["chosen"]))]
        told = math.isclose(float(tried["accuracy"][best]), run.facts["validation"]["accuracy"], rel_tol=1e-9)
        wrong += [] if is_best and told else ["chosen"]
    return wrong


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say where a solver gave up before the optimum."""
    count = sum(not run.facts["converged"] for run in runs)
    return [f"{label}: the solver gave up before the optimum in {count} of {len(runs)} runs"] if count else []


def _describe(procedure: FitHead, run: Results) -> dict[str, Any]:
    facts = run.facts
    chosen = ", ".join(f"{name} {value:g}" for name, value in facts["chosen"].items())
    place = f"layer {procedure.layer}" if procedure.layer else "before the last linear layer"
    return {
        "parameters": facts["parameters"],
        "layers": f"{facts['features']:,} features {place}, of {facts['images']:,} images",
        "recipe": f"{procedure.head.kind.replace('-', ' ')}, chosen on validation data ({chosen} in the first run)",
    }


def _cost(procedure: FitHead, counts: Mapping[str, Mapping[str, int]]) -> float:
    known = counts[procedure.data]
    own = WEIGHTS.get(procedure.head.kind, 2.0) * known.get("train", 1) / 128
    return 10.0 * sum(known.values()) / 128 + own


FIT_HEAD = Kind(
    name="fit-head",
    title="a head on features",
    configuration=FitHead,
    reads="images",
    work=_work,
    tables={
        "predictions": {name: PREDICTIONS[name] for name in ("label", "prediction")},
        "choices": {"setting": Column("setting"), "accuracy": Column("validation accuracy", "fraction", (0, 1))},
        "embedding": EMBEDDING,
    },
    measures={
        one.name: one
        for one in (
            *(score for score in SCORES if score.name in ("test accuracy", "macro F1")),
            Measure(
                "validation accuracy", "fraction", "higher", _validation_accuracy, range=(0, 1), on="validation"
            ),
            *COSTS,
        )
    },
    learned=has_learned,
    check=_check,
    flags=_flags,
    describe=_describe,
    draws=False,
    software=("torch", "scikit-learn"),
    cost=_cost,
)  # fmt: skip
"""It has no seed of its own: one network has one head of each kind, however many seeds ask for it."""
