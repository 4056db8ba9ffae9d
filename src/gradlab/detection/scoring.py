"""One forward pass over a set serves all detectors; those that are fitted are fitted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab._torch import torch
from gradlab.detection.head import head_of
from gradlab.detection.tuned import AnyDetector, Choice, Tuned, choose, names_of
from gradlab.metrics.arrays import Floats
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Split
    from gradlab.training.feed import Feed
    from gradlab.training.recipe import Precision

ALIKE = 0.05
"""Gap between logits and the head's, as a share of the largest logit, that rounding explains, also in half precision."""
Reading = Mapping[str, Any]
"""What detectors read of one set: "logits" (N, K), "features" (N, D), "images"."""


def wanted(detectors: Sequence[AnyDetector]) -> set[str]:
    """Return what these detectors read, beside logits, which everybody wants: "features" if so."""
    names = {name for one in detectors for name in (*one.needs, *one.fits)}
    return {"logits"} | (names & {"features"})


def read(
    model: torch.nn.Module,
    data: Split | Feed | torch.Tensor,
    names: set[str],
    *,
    layer: str | None = None,
    precision: Precision = "fp32",
) -> dict[str, torch.Tensor]:
    """Run the network over a set, once: logits, and features if they are wanted; on the CPU.

    Raises:
        UserError: a model that returns no logits, or samples that it cannot read.
    """
    from gradlab.training.outputs import image_logits, no_logits, outputs
    from gradlab.training.predict import predict_logits

    if "features" in names:
        found = outputs(model, data, layer, precision=precision)
        reading: dict[str, Any] = {"logits": found.logits, "features": found.features}
    elif isinstance(data, torch.Tensor):
        reading = {"logits": image_logits(model, data, precision=precision)}
    else:
        reading = {"logits": predict_logits(model, data, precision=precision).float().cpu()}
    if reading["logits"] is None or reading["logits"].ndim != 2:
        raise no_logits(model)
    return reading


def reads_head(detectors: Sequence[AnyDetector]) -> bool:
    """Whether any detector rests on features being what the last linear layer reads."""
    return any("head" in one.fits or {"logits", "features"} <= set(one.needs) for one in detectors)


def check_head(network: torch.nn.Module, reading: Reading, detectors: Sequence[AnyDetector]) -> None:
    """Refuse a last linear layer that does not turn the features into the logits, where a detector applies it.

    Args:
        reading: logits and features of some samples.

    Raises:
        UserError: names the detector, and what to do.
    """
    if not reads_head(detectors):
        return
    name = next(name for name, one in zip(names_of(detectors), detectors, strict=True) if reads_head([one]))
    head, logits = head_of(network), np.asarray(reading["logits"], dtype=np.float64)
    usable = np.isfinite(logits).all(axis=1) & np.isfinite(np.asarray(reading["features"])).all(axis=1)
    features, logits = np.asarray(reading["features"])[usable], logits[usable]
    if features.shape[1] == head.weight.shape[1] and logits.shape[1] == len(head.weight):
        gap = np.abs(head.logits(features) - logits).max(initial=0.0)
        if gap <= ALIKE * max(1.0, np.abs(logits).max(initial=0.0)):
            return
    raise UserError(
        f"{name} applies the network's last linear layer to the features, and these give other numbers than the network's "
        "logits: the layer named is not the one before it, or the linear layer that is registered last does not end the "
        "network; leave out `layer`, register the head last, or leave the detector out."
    )


class Scorer:
    """Detectors that are fitted, ready to score.

    Args:
        detectors: configurations. network: whose outputs they read.
        training: features and labels of training images, for those that are fitted to them.
        validation: what they read of in-distribution and of foreign validation images, for those that are tuned.
    """

    def __init__(
        self,
        detectors: Sequence[AnyDetector],
        network: torch.nn.Module,
        *,
        autoencoder: torch.nn.Module | None = None,
        training: Reading | None = None,
        validation: tuple[Reading, Reading] | None = None,
    ) -> None:
        self.detectors = tuple(detectors)
        self._known: dict[str, Any] = {"network": network, **(training or {})}
        if autoencoder is not None:
            self._known["autoencoder"] = autoencoder
        if reads_head(detectors):
            self._known["head"] = head_of(network)
        self.choices: dict[int, Choice] = {}
        self._fitted = [self._ready(number, one, validation) for number, one in enumerate(detectors)]

    def score(self, number: int, reading: Reading) -> Floats:
        """Return the scores of one detector, (N,) float64; larger = more out-of-distribution."""
        return self._score(self.detectors[number], self._fitted[number], reading)

    def all(self, reading: Reading) -> list[Floats]:
        """Return the scores of every detector."""
        return [self.score(number, reading) for number in range(len(self.detectors))]

    def _ready(self, number: int, detector: AnyDetector, validation: tuple[Reading, Reading] | None) -> Any:
        if not isinstance(detector, Tuned):
            return self._fit(detector)
        if validation is None:
            raise UserError("a Tuned detector needs validation images to choose by, and there are none.")
        inside, outside = validation
        fitted = {one: self._fit(one) for one in detector.among}
        self.choices[number] = choose(
            detector,
            lambda one: (self._score(one, fitted[one], inside), self._score(one, fitted[one], outside)),
        )
        return fitted[self.choices[number].chosen]

    def _fit(self, detector: AnyDetector) -> Any:
        missing = [name for name in detector.fits if name not in self._known]
        if missing:
            raise UserError(_missing(detector.kind, missing[0]))
        given = {name: self._known[name] for name in detector.fits}
        return detector.fit(**given) if given else detector  # type: ignore[union-attr]

    def _score(self, detector: AnyDetector, fitted: Any, reading: Reading) -> Floats:
        found: Floats = fitted.score(**{name: reading[name] for name in detector.needs})
        if not np.isfinite(found).all():
            raise UserError(
                f"{detector.kind} gives a score that is NaN or infinite; leave it out for this network."
            )
        return found


def _missing(kind: str, name: str) -> str:
    said = {
        "autoencoder": "a trained auto-encoder; give autoencoder=..., as gradlab.detection.train_autoencoder trains it",
        "features": "features of training images; give data with a train part",
        "labels": "labels of training images; give data with a train part",
    }
    return f"{kind} needs {said.get(name, name)}, or leave it out."
