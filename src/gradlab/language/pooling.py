"""How one vector is made of a text's many: names alone, without torch."""

from typing import Literal

Pooling = Literal["cls", "mean"]
POOLINGS: tuple[Pooling, ...] = ("cls", "mean")
"""The first token's vector, and the mean over all tokens."""
