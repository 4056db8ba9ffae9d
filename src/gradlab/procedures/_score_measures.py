"""What is measured on the scores of a run of `Score`, what is drawn, what is checked and what is flagged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from gradlab.attacks.numbers import confidence
from gradlab.detection.cues import cue_flags
from gradlab.detection.flags import accuracy_flags, chance_flags, noise_flags, overlap_words
from gradlab.detection.outliers import NAME
from gradlab.detection.registry import Detector
from gradlab.detection.tuned import AnyDetector, names_of
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.tables import mean_interval
from gradlab.lab.kinds import Axes, Measure
from gradlab.lab.records.columns import Columns
from gradlab.metrics import aupr_in, aupr_out, auroc, auroc_samples, detection_error, fpr_at_tpr, roc_curve
from gradlab.procedures._predictions import hits, logits_of, usable_logits
from gradlab.types import UserError

GRID = np.linspace(0, 1, 101)
"""Shares at which curves of several seeds are averaged."""
BINS = 15
INSIDE = "in-distribution"


def scores_of(run: Results) -> tuple[np.ndarray, np.ndarray]:
    """Return in-distribution and foreign scores of one detector on one set, which the arm's slice names."""
    if set(run.at) != {"detector", "set"}:
        raise UserError(
            'an arm of Score is one detector on one set: at={"detector": "max-softmax", "set": "noise"}.'
        )
    inside, outside = (run.table(name) for name in ("inside", "outside"))
    name = str(run.at["detector"])
    return np.asarray(inside[name], dtype=np.float64), np.asarray(outside[name], dtype=np.float64)


def _axis(run: Results) -> str:
    """Name the in-distribution images; arms that drew as many of the same data drew the same."""
    drawn = run.facts.get("drawn")
    return run.axis("test" if drawn is None else f"test, {drawn} drawn")


def _axes(run: Results) -> Axes:
    """Both sample axes: in-distribution and foreign images vary independently."""
    found = auroc_samples(*scores_of(run))
    inside, outside = (f"{_axis(run)}/{name}" for name in (INSIDE, run.at["set"]))
    return {inside: found.in_distribution, outside: found.out_of_distribution}


def _pairs(run: Results) -> np.ndarray:
    """Count disjoint pairs of an in-distribution and a foreign image: of sets that are perfectly apart all are in order."""
    return np.ones(min(map(len, scores_of(run))))


def _of_scores(measure: Any, **options: Any) -> Any:
    return lambda run: float(measure(*scores_of(run), **options))


OUT, IN = "AUPR, foreign as positive", "AUPR, in-distribution as positive"
FPR = "FPR at 95 % TPR"
MEASURES = (
    Measure("AUROC", "fraction", "higher", _of_scores(auroc), _axes, range=(0, 1), counted=_pairs),
    Measure(OUT, "fraction", "higher", _of_scores(aupr_out), range=(0, 1)),
    Measure(IN, "fraction", "higher", _of_scores(aupr_in), range=(0, 1)),
    Measure(f"{OUT}, balanced", "fraction", "higher", _of_scores(aupr_out, balanced=True), range=(0, 1)),
    Measure(f"{IN}, balanced", "fraction", "higher", _of_scores(aupr_in, balanced=True), range=(0, 1)),
    Measure(FPR, "fraction", "lower", _of_scores(fpr_at_tpr, tpr=0.95), range=(0, 1)),
    Measure(
        f"{FPR}, foreign as positive", "fraction", "lower", _of_scores(fpr_at_tpr, positive="out"), range=(0, 1)
    ),
    Measure("detection error", "fraction", "lower", _of_scores(detection_error), range=(0, 1)),
    Measure(
        "in-distribution accuracy",
        "fraction",
        "higher",
        lambda run: float(hits(run).mean()),
        lambda run: {f"{_axis(run)}/{INSIDE}": hits(run)},
        range=(0, 1),
        exact=True,
    ),
)  # fmt: skip
"""The intervals of AUPR, of FPR at 95 % TPR and of the detection error are of the seeds alone; no claim rests on them."""


def _roc(run: Results) -> Columns:
    """ROC of the arm's detector on its set: share of in-distribution images accepted, over that of foreign ones."""
    found = roc_curve(*scores_of(run), points=10**9)
    place = np.searchsorted(found.fpr, GRID, side="right") - 1
    return {"fpr": GRID, "tpr": found.tpr[place]}


def _precision_recall(run: Results) -> Columns:
    """Precision at every recall, with either set as the positive one, as if both were equally large."""
    inside, outside = scores_of(run)
    precisions = [_precision(-inside, -outside), _precision(outside, inside)]
    return {
        "positive": np.repeat(np.array(["in", "out"]), len(GRID) - 1),
        "recall": np.tile(GRID[1:], 2),
        "precision": np.concatenate(precisions),
    }


def _precision(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Precision at the strictest threshold that finds each share of the positive scores, which are to be larger."""
    ordered, others = np.sort(positive), np.sort(negative)
    needed = np.ceil(GRID[1:] * len(ordered) - 1e-9).astype(int)
    cut = ordered[len(ordered) - needed]
    hit, miss = (1 - np.searchsorted(one, cut, side="left") / len(one) for one in (ordered, others))
    precision: np.ndarray = hit / (hit + miss)
    return precision


def _both(run: Results) -> dict[str, np.ndarray]:
    return dict(zip((INSIDE, str(run.at["set"])), scores_of(run), strict=True))


def _scores(run: Results) -> Columns:
    """The scores of the arm's detector, in-distribution and foreign ones below each other."""
    found = _both(run)
    names = np.array([name for name, one in found.items() for _ in one], dtype=str)
    return {"set": names, "score": np.concatenate(list(found.values()))}


def _sorted(run: Results) -> Columns:
    """The scores in ascending order, over the share of the images that score no higher."""
    found = scores_of(run)
    return {
        "images": np.repeat(np.array([INSIDE, "foreign"], dtype=str), len(GRID)),
        "share": np.tile(GRID, 2),
        "score": np.concatenate([np.quantile(one, GRID) for one in found]),
    }


def _reliability(run: Results) -> Columns:
    """Accuracy of the in-distribution images in 15 bins of confidence, of equal width; a bin without images has no row."""
    sure = _confidence(run.table("predictions"))
    place = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    filled = np.unique(place)
    right = hits(run)
    return {
        "confidence": (filled + 0.5) / BINS,
        "accuracy": np.array([right[place == one].mean() for one in filled]),
    }


def _confidence(table: Columns) -> np.ndarray:
    """Return the largest softmax probability of every image; of older records it follows from the logits."""
    if "confidence" in table:
        return table["confidence"].astype(np.float64)
    logits = logits_of(table)
    if logits is None:
        raise UserError("a small form holds no logits, from which a reliability diagram is drawn.")
    usable = usable_logits(logits)
    return confidence(usable, usable.argmax(1))


VIEWS = {
    "roc": _roc,
    "precision-recall": _precision_recall,
    "scores": _scores,
    "sorted": _sorted,
    "reliability": _reliability,
}


def check(run: Results) -> list[str]:
    """Name the predictions that do not follow from the logits, and the scores of detectors that read nothing else."""
    from gradlab.lab.designing.procedure import read_procedure
    from gradlab.procedures.registry import PROCEDURES

    raw = [run.run.table(name) for name in ("predictions", "foreign")]
    logits = [logits_of(table) for table in raw]
    if any(one is None for one in logits):
        return []
    usable = [usable_logits(one) for one in logits if one is not None]
    predicted = usable[0].argmax(1)
    wrong = [] if np.array_equal(predicted, raw[0]["prediction"]) else ["prediction"]
    if "confidence" in raw[0] and not np.allclose(
        confidence(usable[0], predicted), raw[0]["confidence"], rtol=1e-5
    ):
        wrong.append("confidence")
    other = {"kind": "record", "record": ""}
    own = run.run.spec["procedure"]
    extra = {"autoencoder": other} if "autoencoder" in run.run.spec["inputs"] else {}
    procedure: Any = read_procedure({**own, "net": other, **extra}, PROCEDURES)
    readable = _readable(procedure.detectors, run.facts.get("chosen", {}))
    for name, values in zip(("inside", "outside"), usable, strict=True):
        table = run.run.table(name)
        if any(_differs(one, table, detector, values) for detector, one in readable.items()):
            wrong.append(f"score ({name})")
    return wrong


def _readable(detectors: Sequence[AnyDetector], chosen: Any) -> dict[str, Any]:
    """Return name -> detector of those that read logits alone, tuned ones with the setting that was taken."""
    found = {}
    for name, one in zip(names_of(detectors), detectors, strict=True):
        if one.needs == ("logits",) and not one.fits:
            found[name] = (
                TypeAdapter(Detector).validate_python(chosen[name]["detector"]) if name in chosen else one
            )
    return found


def _differs(detector: Any, table: Columns, name: str, logits: np.ndarray) -> bool:
    stored = np.asarray(table[name])
    fresh = detector.score(logits)
    return len(stored) != len(fresh) or not np.allclose(stored, fresh, rtol=1e-5, atol=1e-7)


def _choices(label: str, detector: str, runs: Sequence[Results]) -> list[str]:
    """Say which settings the seeds chose, and on what."""
    settings = [run.facts.get("chosen", {}).get(detector, {}).get("setting") for run in runs]
    if None in settings:
        return []
    counts = {one: settings.count(one) for one in dict.fromkeys(settings)}
    told = "; ".join(f"{one} ({count} {'seed' if count == 1 else 'seeds'})" for one, count in counts.items())
    place = runs[0].run.spec["procedure"].get("tune_on") or NAME
    return [f"{label}: tuned on {place}, which chose {told}"]


def flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say what makes the numbers of an arm mean less than they seem to."""
    arms = [run for run in runs if set(run.at) == {"detector", "set"}]
    if not arms:
        return []
    first, name = arms[0], str(arms[0].at["set"])
    detector = str(first.at["detector"])
    value, _, high, _ = mean_interval(MEASURES[0], arms)
    accuracy = float(np.mean([hits(run).mean() for run in arms]))
    found = [f"{label}: {one}" for one in chance_flags({(detector, name): (value, high)})]
    found += _choices(label, detector, arms)
    if all(float(np.ptp(np.concatenate(scores_of(run)))) == 0 for run in arms):
        found += [f"{label}: every image has the same score, so that it tells nothing"]
    found += [*first.facts.get("outputs", []), *accuracy_flags(accuracy, len(first.facts["class_names"]))]
    found += noise_flags(first.run.spec["procedure"]["out"])
    overlap = first.facts.get("overlap", {}).get(name)
    cues = first.facts.get("cues", {}).get(name)
    return found + (overlap_words(name, overlap) if overlap else []) + (cue_flags(name, cues) if cues else [])
