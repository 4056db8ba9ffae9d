"""The detectors that a study can name."""

from __future__ import annotations

from gradlab.detection.max_logit import MaxLogit
from gradlab.detection.max_softmax import MaxSoftmax

Detector = MaxSoftmax | MaxLogit
"""Configuration of a detector; the discriminator is `kind`, and `needs` says what `score` takes."""

DETECTORS: dict[str, type[Detector]] = {"max-softmax": MaxSoftmax, "max-logit": MaxLogit}
