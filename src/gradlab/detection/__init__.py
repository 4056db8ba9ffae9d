"""Out-of-distribution scores, as pure functions with a configuration each; larger = more out-of-distribution."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ASH": "ash",
        "AutoEncoder": "autoencoder",
        "DETECTORS": "registry",
        "DetectionTable": "table",
        "Detector": "registry",
        "Energy": "energy",
        "Entropy": "entropy",
        "GEN": "generalised_entropy",
        "GradNorm": "grad_norm",
        "Head": "head",
        "KNN": "knn",
        "Mahalanobis": "mahalanobis",
        "Margin": "margin",
        "MaxLogit": "max_logit",
        "MaxSoftmax": "max_softmax",
        "ODIN": "odin",
        "ReAct": "react",
        "Reconstruction": "reconstruction",
        "RelativeMahalanobis": "relative_mahalanobis",
        "STANDARD": "evaluate",
        "Tuned": "tuned",
        "ViM": "vim",
        "ash": "ash",
        "energy": "energy",
        "entropy": "entropy",
        "evaluate": "evaluate",
        "evaluate_feeds": "evaluate_feeds",
        "generalised_entropy": "generalised_entropy",
        "grad_norm": "grad_norm",
        "head_of": "head",
        "margin": "margin",
        "max_logit": "max_logit",
        "max_softmax": "max_softmax",
        "names_of": "tuned",
        "odin": "odin",
        "outliers": "outliers",
        "overlapping_classes": "sources",
        "psnr": "reconstruction",
        "react": "react",
        "reconstruction_error": "reconstruction",
        "temperature_scaling": "temperature_scaling",
        "train_autoencoder": "train_autoencoder",
    },
)

if TYPE_CHECKING:
    from gradlab.detection.ash import ASH as ASH
    from gradlab.detection.ash import ash as ash
    from gradlab.detection.autoencoder import AutoEncoder as AutoEncoder
    from gradlab.detection.energy import Energy as Energy
    from gradlab.detection.energy import energy as energy
    from gradlab.detection.entropy import Entropy as Entropy
    from gradlab.detection.entropy import entropy as entropy
    from gradlab.detection.evaluate import STANDARD as STANDARD
    from gradlab.detection.evaluate import evaluate as evaluate
    from gradlab.detection.evaluate_feeds import evaluate_feeds as evaluate_feeds
    from gradlab.detection.generalised_entropy import GEN as GEN
    from gradlab.detection.generalised_entropy import generalised_entropy as generalised_entropy
    from gradlab.detection.grad_norm import GradNorm as GradNorm
    from gradlab.detection.grad_norm import grad_norm as grad_norm
    from gradlab.detection.head import Head as Head
    from gradlab.detection.head import head_of as head_of
    from gradlab.detection.knn import KNN as KNN
    from gradlab.detection.mahalanobis import Mahalanobis as Mahalanobis
    from gradlab.detection.margin import Margin as Margin
    from gradlab.detection.margin import margin as margin
    from gradlab.detection.max_logit import MaxLogit as MaxLogit
    from gradlab.detection.max_logit import max_logit as max_logit
    from gradlab.detection.max_softmax import MaxSoftmax as MaxSoftmax
    from gradlab.detection.max_softmax import max_softmax as max_softmax
    from gradlab.detection.odin import ODIN as ODIN
    from gradlab.detection.odin import odin as odin
    from gradlab.detection.outliers import outliers as outliers
    from gradlab.detection.react import ReAct as ReAct
    from gradlab.detection.react import react as react
    from gradlab.detection.reconstruction import Reconstruction as Reconstruction
    from gradlab.detection.reconstruction import psnr as psnr
    from gradlab.detection.reconstruction import reconstruction_error as reconstruction_error
    from gradlab.detection.registry import DETECTORS as DETECTORS
    from gradlab.detection.registry import Detector as Detector
    from gradlab.detection.relative_mahalanobis import RelativeMahalanobis as RelativeMahalanobis
    from gradlab.detection.sources import overlapping_classes as overlapping_classes
    from gradlab.detection.table import DetectionTable as DetectionTable
    from gradlab.detection.temperature_scaling import temperature_scaling as temperature_scaling
    from gradlab.detection.train_autoencoder import train_autoencoder as train_autoencoder
    from gradlab.detection.tuned import Tuned as Tuned
    from gradlab.detection.tuned import names_of as names_of
    from gradlab.detection.vim import ViM as ViM
