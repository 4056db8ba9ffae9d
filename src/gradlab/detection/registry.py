"""The detectors that a study can name."""

from __future__ import annotations

from gradlab.detection.ash import ASH
from gradlab.detection.energy import Energy
from gradlab.detection.entropy import Entropy
from gradlab.detection.generalised_entropy import GEN
from gradlab.detection.grad_norm import GradNorm
from gradlab.detection.knn import KNN
from gradlab.detection.mahalanobis import Mahalanobis
from gradlab.detection.margin import Margin
from gradlab.detection.max_logit import MaxLogit
from gradlab.detection.max_softmax import MaxSoftmax
from gradlab.detection.odin import ODIN
from gradlab.detection.react import ReAct
from gradlab.detection.reconstruction import Reconstruction
from gradlab.detection.relative_mahalanobis import RelativeMahalanobis
from gradlab.detection.vim import ViM

Detector = (
    MaxSoftmax
    | MaxLogit
    | Energy
    | Entropy
    | Margin
    | GEN
    | GradNorm
    | Mahalanobis
    | RelativeMahalanobis
    | KNN
    | ViM
    | ReAct
    | ASH
    | ODIN
    | Reconstruction
)
"""Configuration of a detector; the discriminator is `kind`.

`needs` names what `score` takes: "logits", "features" and "images". `fits` names what `fit` takes first, if anything:
"features" and "labels" of training images, "head", "network" and "autoencoder".
"""

DETECTORS: dict[str, type[Detector]] = {
    "max-softmax": MaxSoftmax,
    "max-logit": MaxLogit,
    "energy": Energy,
    "entropy": Entropy,
    "margin": Margin,
    "gen": GEN,
    "grad-norm": GradNorm,
    "mahalanobis": Mahalanobis,
    "relative-mahalanobis": RelativeMahalanobis,
    "knn": KNN,
    "vim": ViM,
    "react": ReAct,
    "ash": ASH,
    "odin": ODIN,
    "reconstruction": Reconstruction,
}
