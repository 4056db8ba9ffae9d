"""Studies: one readable recipe a file; each turns its parameters into a design."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__, {"STUDIES": "registry", "Setup": "setup", "build_design": "setup"}
)

if TYPE_CHECKING:
    from gradlab.studies.registry import STUDIES as STUDIES
    from gradlab.studies.setup import Setup as Setup
    from gradlab.studies.setup import build_design as build_design
