"""Two results side by side: what was asked for differently, and which claims came out differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OF_STUDY = ("study", "data", "preset", "setting", "seeds", "look")
OF_CONDITIONS = ("device", "precision", "threads")


@dataclass(frozen=True)
class ClaimPair:
    """One claim in two results; None where one of them does not make it.

    Attributes:
        moved: whether the verdict is another one. apart: whether the intervals do not overlap.
    """

    id: str
    a: dict[str, Any] | None
    b: dict[str, Any] | None

    @property
    def moved(self) -> bool:
        """Whether the verdicts differ."""
        return self.a is not None and self.b is not None and self.a["verdict"] != self.b["verdict"]

    @property
    def apart(self) -> bool:
        """Whether both intervals are bounded and do not overlap."""
        if self.a is None or self.b is None or None in (*self.a["interval"], *self.b["interval"]):
            return False
        (low, high), (other_low, other_high) = self.a["interval"], self.b["interval"]
        return bool(high < other_low or other_high < low)


@dataclass(frozen=True)
class Difference:
    """How two results differ.

    Attributes:
        asked: name -> (value of a, value of b) of what was asked for, conditions, and software, where they differ.
        claims: every claim of either. shared: how many runs are the same records.
    """

    asked: dict[str, tuple[Any, Any]]
    claims: tuple[ClaimPair, ...]
    shared: int

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        return {
            "asked": {name: list(pair) for name, pair in self.asked.items()},
            "claims": [
                {"id": one.id, "a": one.a, "b": one.b, "moved": one.moved, "apart": one.apart}
                for one in self.claims
            ],
            "shared": self.shared,
        }


def diff_results(a: Mapping[str, Any], b: Mapping[str, Any]) -> Difference:
    """Compare the content of two results.json."""
    told = [_told(one) for one in (a, b)]
    asked = {
        name: (told[0].get(name), told[1].get(name))
        for name in dict.fromkeys([*told[0], *told[1]])
        if told[0].get(name) != told[1].get(name)
    }
    claims = [{claim["id"]: _short(claim) for claim in one["claims"]} for one in (a, b)]
    pairs = [
        ClaimPair(name, claims[0].get(name), claims[1].get(name))
        for name in dict.fromkeys([*claims[0], *claims[1]])
    ]
    runs = [{run["record"] for run in one["runs"]} for one in (a, b)]
    return Difference(asked, tuple(pairs), len(runs[0] & runs[1]))


def _told(results: Mapping[str, Any]) -> dict[str, Any]:
    conditions = results["conditions"]
    return (
        {name: results[name] for name in OF_STUDY}
        | dict(results["parameters"])
        | {name: conditions[name] for name in OF_CONDITIONS}
        | dict(conditions["software"])
        | {f"content of {name}": one[:17] for name, one in conditions["checksums"].items()}
    )


def _short(claim: Mapping[str, Any]) -> dict[str, Any]:
    names = ("statement", "kind", "verdict", "reading", "unit", "estimate", "interval", "delta")
    return {name: claim[name] for name in names}
