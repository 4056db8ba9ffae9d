"""Work without PyTorch's compiler where nothing is compiled: importing it takes as long as the rest of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def spare_compiler(*functions: Callable[..., Any]) -> None:
    """Let these functions of PyTorch run without `torch._dynamo`.

    Each is marked to be left alone by the compiler, and therefore imports it at its first call, to be told what to call instead.
    That is the function itself, and is set here. A function without such a mark stays as it is.
    """
    for function in functions:
        plain = getattr(function, "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable"):
            plain.__dynamo_disable = plain
