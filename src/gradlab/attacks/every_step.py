"""Attacks that go on after a success."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

AttackT = TypeVar("AttackT")


def every_step(attack: AttackT) -> AttackT:
    """Return an attack that would stop at an image's first success as one that takes every step; others as they are."""
    stops: Any = attack
    return replace(stops, stop_at_success=False) if getattr(attack, "stop_at_success", False) else attack
