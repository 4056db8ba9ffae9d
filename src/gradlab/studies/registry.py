"""The studies that can be run by name."""

from __future__ import annotations

from gradlab.studies.compare import compare
from gradlab.studies.residual_mlp import residual_mlp
from gradlab.studies.setup import Study

STUDIES: dict[str, Study] = {"residual-mlp": residual_mlp, "compare": compare}
