"""Scores of predictions against the truth: pure functions on arrays or tensors; no torch.

Loaded at once, not name by name: functions here share the name of their module, and a module that another one
imports first would hide its function. It needs numpy only.
"""

from gradlab.metrics.accuracy import accuracy as accuracy
from gradlab.metrics.aupr import aupr_in as aupr_in
from gradlab.metrics.aupr import aupr_out as aupr_out
from gradlab.metrics.auroc import auroc as auroc
from gradlab.metrics.auroc_samples import TwoSamples as TwoSamples
from gradlab.metrics.auroc_samples import auroc_samples as auroc_samples
from gradlab.metrics.average_precision_samples import average_precision_samples as average_precision_samples
from gradlab.metrics.brier import brier as brier
from gradlab.metrics.calibration_error import Bin as Bin
from gradlab.metrics.calibration_error import calibration_bins as calibration_bins
from gradlab.metrics.calibration_error import calibration_error as calibration_error
from gradlab.metrics.calibration_error_samples import calibration_error_samples as calibration_error_samples
from gradlab.metrics.confusion import confusion as confusion
from gradlab.metrics.confusion import confusion_percent as confusion_percent
from gradlab.metrics.cross_entropy import cross_entropy as cross_entropy
from gradlab.metrics.detection_error import detection_error as detection_error
from gradlab.metrics.f1 import f1 as f1
from gradlab.metrics.f1 import f1_per_class as f1_per_class
from gradlab.metrics.f1_samples import f1_samples as f1_samples
from gradlab.metrics.fpr_at_tpr import fpr_at_tpr as fpr_at_tpr
from gradlab.metrics.per_class import ClassRow as ClassRow
from gradlab.metrics.per_class import per_class as per_class
from gradlab.metrics.precision import precision as precision
from gradlab.metrics.precision import precision_per_class as precision_per_class
from gradlab.metrics.psnr import psnr as psnr
from gradlab.metrics.recall import recall as recall
from gradlab.metrics.recall import recall_per_class as recall_per_class
from gradlab.metrics.registry import METRICS as METRICS
from gradlab.metrics.registry import Metric as Metric
from gradlab.metrics.registry import evaluate as evaluate
from gradlab.metrics.roc_curve import RocCurve as RocCurve
from gradlab.metrics.roc_curve import roc_curve as roc_curve
from gradlab.metrics.ssim import ssim as ssim
from gradlab.metrics.top_k import top_k as top_k
from gradlab.metrics.worst_errors import WorstErrors as WorstErrors
from gradlab.metrics.worst_errors import worst_errors as worst_errors

__all__ = [
    "METRICS",
    "Bin",
    "ClassRow",
    "Metric",
    "RocCurve",
    "TwoSamples",
    "WorstErrors",
    "accuracy",
    "aupr_in",
    "aupr_out",
    "auroc",
    "auroc_samples",
    "average_precision_samples",
    "brier",
    "calibration_bins",
    "calibration_error",
    "calibration_error_samples",
    "confusion",
    "confusion_percent",
    "cross_entropy",
    "detection_error",
    "evaluate",
    "f1",
    "f1_per_class",
    "f1_samples",
    "fpr_at_tpr",
    "per_class",
    "precision",
    "precision_per_class",
    "psnr",
    "recall",
    "recall_per_class",
    "roc_curve",
    "ssim",
    "top_k",
    "worst_errors",
]
