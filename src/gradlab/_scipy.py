"""The name `special` for SciPy's special functions, loaded when one is first used: half of a command's start otherwise."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scipy import special as special
else:
    from gradlab._lazy import Late

    special = Late("scipy.special")
