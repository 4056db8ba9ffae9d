"""Units, checked once: the annotated types, the error a person can mend, and seeds derived by name."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo

STRICT = ConfigDict(extra="forbid", validate_default=True, arbitrary_types_allowed=False)


class UserError(ValueError):
    """Input that a person can mend; its message is one sentence that says what to do."""


OUT_OF_MEMORY = ("allocate memory", "out of memory", "bad_alloc", "out_of_memory")
"""What PyTorch, CUDA, the C++ library and oneDNN say where the memory does not suffice."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the memory did not suffice; PyTorch says so in the text of a RuntimeError.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory")), is_out_of_memory(RuntimeError("no"))
    (True, False)
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in OUT_OF_MEMORY)


def _fraction_text(value: Any) -> Any:
    """Read "8/255" as a number, so that Python and the command line write a radius alike."""
    if isinstance(value, str) and value.count("/") == 1:
        try:
            numerator, denominator = map(float, value.split("/"))
        except ValueError:
            raise ValueError(f"a fraction is written like 8/255, got {value}.") from None
        if denominator == 0:
            raise ValueError(f"a fraction needs a denominator other than 0, got {value}.")
        return numerator / denominator
    return value


def check_pixels(value: float, name: str = "eps") -> float:
    """Return a radius or step on the [0, 1] pixel scale.

    Raises:
        UserError: it lies outside, as grey levels do.
    """
    if not 0 <= value <= 1:
        levels = f" For {value:g} grey levels write {value:g}/255." if 1 < value <= 255 else ""
        raise UserError(f"{name} must lie in [0, 1] on the pixel scale, got {value:g}.{levels}")
    return value


def _number(value: Any, info: ValidationInfo) -> Any:
    """Read a fraction, and refuse True and False, which Python counts among the numbers."""
    if isinstance(value, bool):
        raise ValueError(f"{info.field_name or 'eps'} must be a number, such as 8/255, got {value}.")
    return _fraction_text(value)


def _pixel_range(value: Any, info: ValidationInfo) -> Any:
    value = _number(value, info)
    return check_pixels(value, info.field_name or "eps") if isinstance(value, (int, float)) else value


PixelEps = Annotated[float, BeforeValidator(_pixel_range)]
"""A radius on the [0, 1] pixel scale; also read from the text "8/255"."""
Radius = Annotated[float, BeforeValidator(_number)]
"""A radius or step of any norm on the [0, 1] pixel scale; also read from the text "8/255"."""
Fraction = Annotated[float, BeforeValidator(_fraction_text), Field(ge=0, le=1)]
"""A number in [0, 1]."""
Probability = Annotated[float, Field(ge=0, lt=1)]
"""A number in [0, 1): dropout, smoothing, decay."""
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
"""A whole number of things, at least one."""


def later(default: Any) -> Any:
    """Default of a field that came after records were written: left out of a dump while it has this value.

    So adding a field changes neither the hash of an older spec nor an older result.
    """
    return Field(default=default, exclude_if=lambda value: bool(value == default))


def derive_seed(seed: int, *names: str | int) -> int:
    """Seed of the sub-stream called `names`, in [0, 2**63): adding one stream shifts no other.

    >>> derive_seed(0, "order", 1) == derive_seed(0, "order", 1) != derive_seed(0, "order", 2)
    True
    """
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return "did you mean 'x'?" for a known word that is nearly the same or begins alike, else the known words.

    >>> did_you_mean("--width", ["--widths", "--depths"]), did_you_mean("test", ["tour", "compare"])
    ("did you mean '--widths'?", 'known are compare, tour.')
    """
    bare = {one.lstrip("-").lower(): one for one in known}
    asked = word.lstrip("-").lower()
    near = get_close_matches(asked, bare, n=1, cutoff=NEAR)
    near = near or [one for one in bare if len(asked) > 1 and one.startswith(asked)][:1]
    return f"did you mean '{bare[near[0]]}'?" if near else "known are " + ", ".join(sorted(known)) + "."


NEAR = 0.65
"""Share of letters that two words have in common, in order, from which one is suggested for the other."""
