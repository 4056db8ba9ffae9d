"""How the vectors of a text's tokens become one; importable without torch."""

from __future__ import annotations

from typing import Literal

Pooling = Literal["cls", "mean"]
"""The first token's vector, or the mean over all tokens."""
POOLINGS: tuple[Pooling, ...] = ("cls", "mean")
