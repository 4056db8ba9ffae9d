"""Scoring in- and out-of-distribution images, or texts, with the network of another run: `Score`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.detection.tuned import AnyDetector, Tuned, names_of
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.procedures import _score_measures as told
from gradlab.procedures._pace import IMAGES, pass_cost, pass_seconds
from gradlab.procedures._predictions import PREDICTIONS
from gradlab.types import STRICT, Count, UserError, did_you_mean, later

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job

FRACTION: dict[str, Any] = {"unit": "fraction", "range": (0, 1)}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Score(Procedure):
    """Score images or texts by how foreign they look; arms are slices, `at={"detector": "max-logit", "set": "noise@8:grey"}`.

    One forward pass over each set serves all detectors that read logits and features; what is fitted is fitted to training
    images, what is tuned is tuned on validation images. A detector goes by its kind, with its settings where a kind is there
    several times (`gradlab.detection.names_of`).

    Of texts the network is a `TextFineTune`, and the detectors read its logits and features alone.

    Attributes:
        net: whose network scores. data: what it was trained on; its test images are in-distribution.
        out: sets of foreign images, all of the network's image shape, or of texts. detectors: how to score.
        autoencoder: a training of one, for the detector `Reconstruction`.
        tune_on: foreign data whose training (else validation) images choose the settings of `Tuned` detectors; left out:
            images made of the in-distribution validation images. images: at most so many test images of each set, drawn
            once; left out: all. fit_images: at most so many training images to fit to, drawn once; left out: all.
        shown: detectors, by name, whose most confident mistakes are kept as pictures: foreign images that look the most
            familiar, of each set, and familiar ones that look the most foreign; with an auto-encoder also what it makes of
            the first images.
    """

    kind: Literal["score"] = "score"
    net: Input
    data: DataName
    out: tuple[DataName, ...]
    detectors: tuple[Annotated[AnyDetector, Field(discriminator="kind")], ...]
    autoencoder: Input | None = later(None)
    tune_on: DataName | None = later(None)
    images: Count | None = later(None)
    fit_images: Count | None = later(None)
    shown: tuple[str, ...] = later(())

    def __post_init__(self) -> None:
        names = names_of(self.detectors)
        if not self.out or not names or len(set(names)) < len(names) or self.data in self.out:
            raise UserError(
                "Score takes at least one foreign set, other than the in-distribution data, and each detector once, "
                f"got sets {list(self.out)} and detectors {names}."
            )
        unknown = [one for one in self.shown if one not in names]
        if unknown:
            raise UserError(
                f"no detector of this Score goes by '{unknown[0]}'; {did_you_mean(unknown[0], names)}"
            )
        if self.tune_on is not None:
            from gradlab.detection.sources import refuse_shared_source

            refuse_shared_source(self.tune_on, self.out)


def _work(procedure: Score, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._scoring import score_sets

    return score_sets(procedure, jobs, desk)


def _describe(procedure: Score, run: Results) -> dict[str, Any]:
    counts = ", ".join(f"{count:,} of {name}" for name, count in run.facts["images"].items())
    from gradlab.detection.outliers import NAME

    names = names_of(procedure.detectors)
    chosen = run.facts.get("chosen", {})
    place = procedure.tune_on or NAME
    told_names = [f"{name} (on {place})" if name in chosen else name for name in names]
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts.get('holds', 'images')}: {counts}",
        "recipe": ", ".join(told_names),
    }


def _asks(procedure: Score) -> list[tuple[str, tuple[str, ...]]]:
    tuning = [] if procedure.tune_on is None else [(procedure.tune_on, ("train", "validation"))]
    return [*tuning, *((name, ("test",)) for name in (procedure.data, *procedure.out))]


def _cost(procedure: Score, counts: Mapping[str, Mapping[str, int]]) -> float:
    sets = [counts[name].get("test", 1) for name in (procedure.data, *procedure.out)]
    images = sum(min(count, procedure.images or count) for count in sets)
    if any("features" in one.fits for one in procedure.detectors):
        images += procedure.fit_images or counts[procedure.data].get("train", 1)
    passes = sum(
        3 * len(one.among) if isinstance(one, Tuned) else 3
        for one in procedure.detectors
        if "images" in one.needs
    )
    return images * (1 + passes) / 3 / IMAGES * pass_cost(procedure.net)


SCORE = Kind(
    name="score",
    title="scoring",
    configuration=Score,
    reads="either",
    asks=_asks,
    work=_work,
    tables={
        "predictions": {name: PREDICTIONS[name] for name in ("label", "prediction")},
        "foreign": {},
        "inside": {},
        "outside": {},
        "accepted": {},
        "refused": {},
        "reproduced": {},
        "reproduced foreign": {},
        "roc": {
            "fpr": Column("foreign images accepted", **FRACTION),
            "tpr": Column("in-distribution images accepted", **FRACTION),
        },
        "precision-recall": {
            "recall": Column("recall", **FRACTION),
            "precision": Column("precision", **FRACTION),
            "positive": Column("positive", words={"in": "in-distribution as positive", "out": "foreign as positive"}),
        },
        "scores": {"score": Column("score, larger is more foreign"), "set": Column("images")},
        "sorted": {
            "share": Column("images, the most familiar first", **FRACTION),
            "score": Column("score, larger is more foreign"),
            "images": Column("images"),
        },
        "reliability": {
            "confidence": Column("confidence", **FRACTION),
            "accuracy": Column("accuracy", **FRACTION),
        },
    },
    measures={measure.name: measure for measure in told.MEASURES},
    views=told.VIEWS,
    check=told.check,
    flags=told.flags,
    describe=_describe,
    draws=False,
    cost=_cost,
    pace=pass_seconds,
    is_summarised=True,
)  # fmt: skip
