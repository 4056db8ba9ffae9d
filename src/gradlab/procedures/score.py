"""Scoring in- and out-of-distribution images with the network of another run: `Score`, its tables, and the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.detection.registry import Detector
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Column, Kind, Measure, Outcome
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress
from gradlab.metrics import aupr_in, aupr_out, auroc, auroc_samples, fpr_at_tpr, roc_curve
from gradlab.procedures._predictions import PREDICTIONS, logits_of, usable_logits
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset, Split
    from gradlab.lab.running.desk import Desk, Job

GRID = np.linspace(0, 1, 101)
"""Shares of foreign images at which curves of several seeds are averaged."""
INSIDE = "in-distribution"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Score(Procedure):
    """Score images by how foreign they look; arms are slices, `at={"detector": "max-logit", "set": "noise@8:grey"}`.

    One forward pass over each set serves all detectors.

    Attributes:
        net: whose network scores. data: what it was trained on; its test images are in-distribution.
        out: sets of foreign images, all of the network's image shape. detectors: how to score.
    """

    kind: Literal["score"] = "score"
    net: Input
    data: DataName
    out: tuple[DataName, ...]
    detectors: tuple[Annotated[Detector, Field(discriminator="kind")], ...]

    def __post_init__(self) -> None:
        names = [one.kind for one in self.detectors]
        if not self.out or not names or len(set(names)) < len(names) or self.data in self.out:
            raise UserError(
                "Score takes at least one foreign set, other than the in-distribution data, and each detector once, "
                f"got sets {list(self.out)} and detectors {names}."
            )


def _work(procedure: Score, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    sets = {name: desk.data(name) for name in (procedure.data, *procedure.out)}
    shape = sets[procedure.data].input_shape
    for name, data in sets.items():
        if data.input_shape != shape:
            wanted, got = ("×".join(map(str, one)) for one in (shape, data.input_shape))
            raise UserError(
                f"images of '{name}' are {got} and those of '{procedure.data}' {wanted}; derive it, such as "
                f"{name}@{shape[1]}{':grey' if shape[0] == 1 else ':rgb'}."
            )
    for job in jobs:
        yield _score(procedure, job, desk, sets)


def _score(procedure: Score, job: Job, desk: Desk, sets: Mapping[str, Dataset]) -> Outcome:
    from gradlab.procedures._networks import refuse_misfit
    from gradlab.training.predict import predict_logits

    network, names = job.network(), list(sets)
    splits = [_test_of(sets[name]) for name in names]
    refuse_misfit(network, sets[procedure.data])

    def part(number: int) -> Mapping[str, Any]:
        split = splits[number].to(desk.device)
        logits = predict_logits(network, split, precision=desk.precision)  # type: ignore[arg-type]
        desk.tell(Progress((number + 1) / len(names), f"scored {names[number]}", given=number / len(names)))
        return {"logits": logits.float()}

    logits = [one["logits"].numpy() for one in desk.in_parts(f"logits-{job.seed}", len(names), part)]
    labels = splits[0].labels.cpu().numpy()
    tables: dict[str, Columns] = {
        "predictions": {
            "label": labels.astype(np.int16),
            "prediction": usable_logits(logits[0]).argmax(1).astype(np.int16),
            **_logit_columns(logits[0]),
        },
        "foreign": {
            "set": np.repeat(np.array(names[1:], dtype=str), [len(one) for one in logits[1:]]),
            **_logit_columns(np.concatenate(logits[1:])),
        },
    }
    tables |= score_tables(procedure, tables)
    facts = {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(sets[procedure.data].class_names),
        "images": {name: len(one) for name, one in zip(names, logits, strict=True)},
        "notes": {name: list(data.notes) for name, data in sets.items()},
    }
    return Outcome(facts, tables)


def _test_of(data: Dataset) -> Split:
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to score; choose data with a test part.")
    return data.test


def _logit_columns(logits: np.ndarray) -> dict[str, np.ndarray]:
    return {f"logit_{k}": logits[:, k] for k in range(logits.shape[1])}


def score_tables(procedure: Score, raw: Mapping[str, Columns]) -> dict[str, Columns]:
    """Return the scores of every detector, from logits: larger is more out-of-distribution.

    Args:
        raw: tables "predictions" and "foreign", with the logits.
    """
    inside, outside = (logits_of(raw[name]) for name in ("predictions", "foreign"))
    assert inside is not None  # written together
    assert outside is not None
    kinds = [one.kind for one in procedure.detectors]
    scored = {
        name: np.concatenate([one.score(usable_logits(logits)) for one in procedure.detectors]).astype(
            np.float32
        )
        for name, logits in (("inside", inside), ("outside", outside))
    }
    return {
        "inside": {
            "detector": np.repeat(np.array(kinds, dtype=str), len(inside)),
            "index": np.tile(np.arange(len(inside), dtype=np.int32), len(kinds)),
            "score": scored["inside"],
        },
        "outside": {
            "detector": np.repeat(np.array(kinds, dtype=str), len(outside)),
            "set": np.tile(raw["foreign"]["set"].astype(str), len(kinds)),
            "score": scored["outside"],
        },
    }


def _scores(run: Results) -> tuple[np.ndarray, np.ndarray]:
    """Return in-distribution and foreign scores of one detector on one set, which the arm's slice names."""
    if set(run.at) != {"detector", "set"}:
        raise UserError(
            'an arm of Score is one detector on one set: at={"detector": "max-softmax", "set": "noise"}.'
        )
    return tuple(run.table(name)["score"].astype(np.float64) for name in ("inside", "outside"))  # type: ignore[return-value]


def _axes(run: Results) -> Axes:
    """Both sample axes: in-distribution and foreign images vary independently."""
    found = auroc_samples(*_scores(run))
    inside, outside = (f"{run.axis('test')}/{name}" for name in (INSIDE, run.at["set"]))
    return {inside: found.in_distribution, outside: found.out_of_distribution}


def _of_scores(measure: Any, **options: Any) -> Any:
    return lambda run: float(measure(*_scores(run), **options))


MEASURES = (
    Measure("AUROC", "fraction", "higher", _of_scores(auroc), _axes, range=(0, 1)),
    Measure("AUPR, foreign as positive", "fraction", "higher", _of_scores(aupr_out), range=(0, 1)),
    Measure("AUPR, in-distribution as positive", "fraction", "higher", _of_scores(aupr_in), range=(0, 1)),
    Measure("FPR at 95 % TPR", "fraction", "lower", _of_scores(fpr_at_tpr, tpr=0.95), range=(0, 1)),
    Measure(
        "in-distribution accuracy",
        "fraction",
        "higher",
        lambda run: float(_hits(run).mean()),
        lambda run: {f"{run.axis('test')}/{INSIDE}": _hits(run)},
        range=(0, 1),
        exact=True,
    ),
)
"""The intervals of AUPR and of FPR at 95 % TPR are of the seeds alone, and no claim rests on them."""


def _hits(run: Results) -> np.ndarray:
    table = run.table("predictions")
    return np.asarray(
        table["prediction"].astype(np.int64) == table["label"].astype(np.int64), dtype=np.float64
    )


def roc_view(run: Results) -> Columns:
    """ROC of the arm's detector on its set: share of in-distribution images accepted, over that of foreign ones."""
    found = roc_curve(*_scores(run), points=10**9)
    place = np.searchsorted(found.fpr, GRID, side="right") - 1
    return {"fpr": GRID, "tpr": found.tpr[place]}


def scores_view(run: Results) -> Columns:
    """The scores of the arm's detector, in-distribution and foreign ones below each other."""
    inside, outside = _scores(run)
    names = np.array([INSIDE] * len(inside) + [str(run.at["set"])] * len(outside), dtype=str)
    return {"set": names, "score": np.concatenate([inside, outside])}


def _check(run: Results) -> list[str]:
    """Name the scores and predictions that do not follow from the logits."""
    from gradlab.lab.designing.procedure import read_procedure
    from gradlab.procedures.registry import PROCEDURES

    raw = {name: run.run.table(name) for name in ("predictions", "foreign")}
    if any(logits_of(table) is None for table in raw.values()):
        return []
    logits = logits_of(raw["predictions"])
    assert logits is not None  # just seen
    wrong = (
        []
        if np.array_equal(usable_logits(logits).argmax(1), raw["predictions"]["prediction"])
        else ["prediction"]
    )
    source = {**run.run.spec["procedure"], "net": {"kind": "record", "record": ""}}
    procedure = read_procedure(source, PROCEDURES)
    assert isinstance(procedure, Score)  # this kind's own
    for name, table in score_tables(procedure, raw).items():
        stored = run.run.table(name)["score"]
        if len(stored) != len(table["score"]) or not np.allclose(
            stored, table["score"], rtol=1e-5, atol=1e-7
        ):
            wrong.append(f"score ({name})")
    return wrong


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say where a score is worse than chance."""
    values = [_of_scores(auroc)(run) for run in runs if set(run.at) == {"detector", "set"}]
    if values and np.mean(values) < 0.5:
        return [f"{label}: worse than chance, it takes foreign images for more familiar than its own"]
    return []


def _describe(procedure: Score, run: Results) -> dict[str, Any]:
    counts = ", ".join(f"{count:,} of {name}" for name, count in run.facts["images"].items())
    names = ", ".join(one.kind for one in procedure.detectors)
    return {"parameters": run.facts["parameters"], "layers": f"images: {counts}", "recipe": names}


SCORE = Kind(
    name="score",
    title="scoring",
    configuration=Score,
    reads="images",
    work=_work,
    tables={
        "predictions": {name: PREDICTIONS[name] for name in ("label", "prediction")},
        "foreign": {},
        "inside": {},
        "outside": {},
        "roc": {
            "fpr": Column("foreign images accepted", "fraction", (0, 1)),
            "tpr": Column("in-distribution images accepted", "fraction", (0, 1)),
        },
        "scores": {"score": Column("score, larger is more foreign"), "set": Column("images")},
    },
    measures={measure.name: measure for measure in MEASURES},
    views={"roc": roc_view, "scores": scores_view},
    check=_check,
    flags=_flags,
    describe=_describe,
    draws=False,
    cost=lambda _, counts: sum(one.get("test", 1) for one in counts.values()) / 512,
)
