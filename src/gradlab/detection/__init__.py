"""Out-of-distribution scores, as pure functions with a configuration each; larger = more out-of-distribution; no torch.

Loaded at once, not name by name: functions here share the name of their module, and it needs numpy only.
"""

from gradlab.detection.max_logit import MaxLogit as MaxLogit
from gradlab.detection.max_logit import max_logit as max_logit
from gradlab.detection.max_softmax import MaxSoftmax as MaxSoftmax
from gradlab.detection.max_softmax import max_softmax as max_softmax
from gradlab.detection.registry import DETECTORS as DETECTORS
from gradlab.detection.registry import Detector as Detector

__all__ = ["DETECTORS", "Detector", "MaxLogit", "MaxSoftmax", "max_logit", "max_softmax"]
