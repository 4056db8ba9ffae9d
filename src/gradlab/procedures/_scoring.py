"""The work of `Score`: what detectors read is read once, then they are fitted, tuned, and every image is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import TypeAdapter

from gradlab.data import Dataset, Split, draw
from gradlab.detection.cues import length_cue, telling_cues
from gradlab.detection.evaluate import tuning_images
from gradlab.detection.evaluate_feeds import refuse_image_detectors
from gradlab.detection.flags import normalisation_flags, output_flags
from gradlab.detection.registry import Detector
from gradlab.detection.scoring import Scorer, check_head, read, wanted
from gradlab.detection.sources import overlapping_classes
from gradlab.detection.tuned import Tuned, names_of, settings_of
from gradlab.lab.kinds import Outcome
from gradlab.lab.running.desk import Progress
from gradlab.procedures._networks import refuse_misfit
from gradlab.procedures._predictions import usable_logits
from gradlab.procedures._score_tables import Scored, picture_tables, raw_tables, score_tables
from gradlab.procedures.text_finetune import reader_of
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.procedures.score import Score


def score_sets(procedure: Score, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    """Score the test images or texts of all sets; see `gradlab.procedures.Score`."""
    sets = {name: desk.data(name) for name in (procedure.data, *procedure.out)}
    if hasattr(sets[procedure.data], "input_shape"):
        _check_shapes(sets, procedure.data)
    else:
        refuse_image_detectors(procedure.detectors)
        if procedure.shown:
            raise UserError(
                f"`shown` keeps pictures of mistakes, and '{procedure.data}' holds texts; leave it out."
            )
    splits = [_drawn(_test_of(one), procedure.images) for one in sets.values()]
    for job in jobs:
        yield _score(procedure, job, desk, sets, splits)


def _score(
    procedure: Score, job: Job, desk: Desk, sets: Mapping[str, Dataset], splits: list[Split]
) -> Outcome:
    network, names = job.network(), list(sets)
    encode = None if hasattr(sets[procedure.data], "input_shape") else reader_of(job, network)
    if encode is None:
        refuse_misfit(network, sets[procedure.data])
    parts = Parts(procedure, job, desk, network, encode)
    first = parts.reading(f"logits-{job.seed}", 0, splits[0])
    check_head(network, first, procedure.detectors)
    scorer = parts.scorer(sets[procedure.data])
    found = []
    for number, split in enumerate(splits):
        reading = parts.reading(f"logits-{job.seed}", number, split) if number else first
        found.append((reading["logits"].numpy(), parts.scores(scorer, number, split, reading)))
        parts.tell((number + 1) / len(names), f"scored {names[number]}", given=number / len(names))
    logits = [one for one, _ in found]
    scores = [dict(zip(names_of(procedure.detectors), one, strict=True)) for _, one in found]
    tables = raw_tables(splits[0], logits, names) | score_tables(scores, names)
    scored = [Scored(*one) for one in zip(sets.values(), splits, logits, scores, strict=True)]
    autoencoder = job.network("autoencoder") if procedure.shown and procedure.autoencoder else None
    tables |= picture_tables(scored, names, procedure.shown, autoencoder)
    facts = {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(sets[procedure.data].class_names),
        "images": {name: len(one) for name, one in zip(names, logits, strict=True)},
        "notes": {name: list(data.notes) for name, data in sets.items()},
        "cues": {name: parts.cues(splits[0], one) for name, one in zip(names[1:], splits[1:], strict=True)},
        "overlap": _overlaps(sets, procedure.data),
    }
    outputs = network_flags(network, sets[procedure.data], logits[0])
    if outputs:
        facts["outputs"] = outputs
    if encode is not None:
        facts["holds"] = "texts"
    if procedure.images is not None:
        facts["drawn"] = procedure.images
    chosen = {names_of(procedure.detectors)[number]: one for number, one in scorer.choices.items()}
    if chosen:
        facts["chosen"] = {name: _choice(one) for name, one in chosen.items()}
    return Outcome(facts, tables)


class Parts:
    """What is read and scored for one run, each finished part kept, so that killed work goes on where it was.

    Args:
        encode: turns a part with texts into a feed; None for images.
    """

    def __init__(
        self,
        procedure: Score,
        job: Job,
        desk: Desk,
        network: torch.nn.Module,
        encode: Callable[[Any], Any] | None = None,
    ) -> None:
        self.procedure, self.job, self.desk, self.network = procedure, job, desk, network
        self.encode = encode
        self.names = wanted(procedure.detectors)
        self.detectors = procedure.detectors

    def tell(self, share: float, text: str, given: float) -> None:
        """Say how far it is."""
        self.desk.tell(Progress(share, text, given=given))

    def reading(self, name: str, number: int, data: Split | torch.Tensor) -> dict[str, torch.Tensor]:
        """Return logits, and features if they are wanted, of one set."""

        def make(_: int) -> Mapping[str, torch.Tensor]:
            place = data.to(self.desk.device) if self.encode is None else self.encode(data)
            return read(self.network, place, self.names, precision=self.desk.precision)  # type: ignore[arg-type]

        (found,) = self.desk.in_parts(f"{name}-{number}", 1, make)
        return found

    def cues(self, inside: Any, outside: Any) -> dict[str, float]:
        """Return what pixels, or lengths of texts, alone tell of two sets."""
        if self.encode is None:
            return telling_cues(inside, outside)
        return length_cue(*(self.encode(one).tokens.lengths for one in (inside, outside)))

    def scores(
        self, scorer: Scorer, number: int, data: Split, reading: Mapping[str, torch.Tensor]
    ) -> list[np.ndarray]:
        """Return the scores of every detector; those that run the network themselves are a part each."""
        usable: dict[str, Any] = {**_usable(reading), "images": data.to(self.desk.device)}

        def slow(place: int) -> np.ndarray:
            make = lambda _: {"score": torch.from_numpy(scorer.score(place, usable))}  # noqa: E731
            (found,) = self.desk.in_parts(f"scores-{self.job.seed}-{number}-{place}", 1, make)
            return np.asarray(found["score"].numpy())

        return [
            slow(place) if "images" in one.needs else scorer.score(place, usable)
            for place, one in enumerate(self.detectors)
        ]

    def scorer(self, data: Dataset) -> Scorer:
        """Fit the detectors to training images, and tune those that are tuned on validation images."""
        autoencoder = None if self.procedure.autoencoder is None else self.job.network("autoencoder")
        return Scorer(
            self.detectors,
            self.network,
            autoencoder=autoencoder,
            training=self._training(data),
            validation=self._validation(data),
        )

    def _training(self, data: Dataset) -> dict[str, Any] | None:
        if not any({"features", "labels"} & set(one.fits) for one in self.detectors):
            return None
        if data.train is None:
            raise UserError(
                f"'{data.name}' has no training images here, which detectors are fitted to; leave those out."
            )
        train = _drawn(data.train, self.procedure.fit_images)
        found = self.reading(f"training-{self.job.seed}", 0, train)
        return {"features": _usable(found)["features"], "labels": train.labels.cpu()}

    def _validation(self, data: Dataset) -> tuple[dict[str, Any], dict[str, Any]] | None:
        if not any(isinstance(one, Tuned) for one in self.detectors):
            return None
        name = self.procedure.tune_on
        other = None if name is None else self.desk.data(name)
        both = tuning_images(data, other, self.procedure.out)
        drawn = [_drawn(one, self.procedure.images) if isinstance(one, Split) else one for one in both]
        inside, outside = (
            {
                "images": one.to(self.desk.device),
                **_usable(self.reading(f"validation-{self.job.seed}", number, one)),
            }
            for number, one in enumerate(drawn)
        )
        return inside, outside


def network_flags(network: torch.nn.Module, data: Any, logits: np.ndarray) -> list[str]:
    """Say where a network returns no logits, or normalises images by other numbers than those of its data."""
    mean = getattr(data, "mean", ())  # texts have none
    return [*output_flags(logits), *(normalisation_flags(network, mean, data.std) if mean else ())]


def _usable(reading: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Return what detectors read, with zeros for an image whose numbers are not all finite: chance."""
    return {name: usable_logits(one.numpy()) for name, one in reading.items()}


def _check_shapes(sets: Mapping[str, Dataset], inside: str) -> None:
    shape = sets[inside].input_shape
    for name, data in sets.items():
        if data.input_shape != shape:
            wanted_shape, got = ("×".join(map(str, one)) for one in (shape, data.input_shape))
            raise UserError(
                f"images of '{name}' are {got} and those of '{inside}' {wanted_shape}; derive it, such as "
                f"{name}@{shape[1]}{':grey' if shape[0] == 1 else ':rgb'}."
            )


def _test_of(data: Dataset) -> Split:
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to score; choose data with a test part.")
    return data.test


def _drawn(split: Split, count: int | None) -> Split:
    """Return at most so many images, with the class shares of the whole, the same for every seed."""
    if count is None or count >= len(split):
        return split
    return split[draw(split.labels, count, seed=0).sort().values]


def _overlaps(sets: Mapping[str, Dataset], inside: str) -> dict[str, dict[str, str]]:
    known = sets[inside].class_names
    found = {
        name: overlapping_classes(known, one.class_names) for name, one in sets.items() if name != inside
    }
    return {name: one for name, one in found.items() if one}


def _choice(choice: Any) -> dict[str, Any]:
    return {
        "setting": settings_of(choice.chosen),
        "detector": TypeAdapter(Detector).dump_python(choice.chosen, mode="json"),
        "tried": [[settings_of(one), value] for one, value in choice.tried],
    }
