"""gradlab: a laboratory for deep networks. Every question a controlled study, every answer a verdict."""

from importlib.metadata import version
from typing import TYPE_CHECKING

from gradlab._lazy import attach

__version__ = version("gradlab")

_getattr, _dir, _public = attach(
    __name__,
    {
        "Result": "result",
        "UserError": "types",
        "attacks": "attacks",
        "augmentation": "augmentation",
        "clip": "clip",
        "data": "data",
        "detection": "detection",
        "explain": "explain",
        "lab": "lab",
        "language": "language",
        "metrics": "metrics",
        "models": "models",
        "plan": "running",
        "report": "report",
        "run": "running",
        "statistics": "statistics",
        "studies": "studies",
        "training": "training",
        "transfer": "transfer",
        "types": "types",
        "use": "use",
        "verify": "verification",
    },
)
__getattr__, __dir__ = _getattr, _dir
__all__ = [*_public, "__version__"]

if TYPE_CHECKING:
    from gradlab import attacks as attacks
    from gradlab import augmentation as augmentation
    from gradlab import clip as clip
    from gradlab import data as data
    from gradlab import detection as detection
    from gradlab import explain as explain
    from gradlab import lab as lab
    from gradlab import language as language
    from gradlab import metrics as metrics
    from gradlab import models as models
    from gradlab import report as report
    from gradlab import statistics as statistics
    from gradlab import studies as studies
    from gradlab import training as training
    from gradlab import transfer as transfer
    from gradlab import types as types
    from gradlab import use as use
    from gradlab.result import Result as Result
    from gradlab.running import plan as plan
    from gradlab.running import run as run
    from gradlab.types import UserError as UserError
    from gradlab.verification import verify as verify
