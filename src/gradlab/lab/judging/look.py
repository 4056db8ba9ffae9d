"""Which look at a claim this is: how much of the error rate it may spend, and what was seen before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """A look at one claim.

    Attributes:
        number: from 1; one more each time other seeds that overlap with seen ones are judged.
        among: the most claims that this one was ever judged among.
        deltas: smallest effects that earlier looks at these seeds named. repeats: (first, last) seeds of earlier repeats on
            seeds of their own.
    """

    number: int = 1
    among: int = 1
    deltas: tuple[float, ...] = ()
    repeats: tuple[tuple[int, int], ...] = ()

    def flags(self, delta: float) -> list[str]:
        """Say what qualifies the verdict: a smallest effect that was another one before, and earlier repeats."""
        found = []
        others = [one for one in self.deltas if one != delta]
        if others:
            found.append(
                f"an earlier look named {', '.join(f'{one:g}' for one in others)} as the smallest effect that matters"
            )
        if self.repeats:
            spans = ", ".join(f"{first} to {last}" for first, last in self.repeats)
            found.append(f"judged before on other seeds: {spans}")
        return found
