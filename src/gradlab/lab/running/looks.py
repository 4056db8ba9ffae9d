"""How often a claim has been looked at: each new set of seeds is a look, and looks cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab._files import read_regular, write_whole
from gradlab.lab.judging.look import Look
from gradlab.lab.running.locks import exclusive
from gradlab.types import UserError


def look_at(
    folder: Path, claim: str, seeds: Sequence[int], software: str, *, among: int, delta: float
) -> Look:
    """Return which look at this claim the given seeds are, and remember it.

    The same seeds again are the same look, whatever the smallest effect that matters is now. Other seeds are the look after
    the last one at any set that shares a seed with them, directly or through further sets, so that seeds which nobody has
    seen are a repeat of its own, at full level. The same seeds in another number format or on another device are a
    look of their own.

    Args:
        folder: where looks are remembered, one small file a claim.
        claim: identity of the claim: its measures, contrasts over the arms' procedures, and data.
        seeds: consecutive, those that the verdict is about to see.
        software: precision, device and versions that the runs' bits depend on.
        among: how many claims it is judged among now. delta: the smallest effect that it names now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{claim}.json"
    first, last = min(seeds), max(seeds)
    with exclusive(path.with_suffix(".lock")):
        looks = _read(path)
        group = _group(looks, first, last)
        mine = [
            one for one in group if (one["first"], one["last"], one["software"]) == (first, last, software)
        ]
        number = mine[0]["look"] if mine else 1 + max((one["look"] for one in group), default=0)
        entry = {
            "first": first,
            "last": last,
            "software": software,
            "look": number,
            "among": among,
            "delta": delta,
        }
        if entry not in looks:
            write_whole(path, json.dumps([*looks, entry]).encode())
    spans = {(one["first"], one["last"]) for one in looks if one not in group}
    return Look(
        number=number,
        among=max([among, *(one["among"] for one in group)]),
        deltas=tuple(sorted({one["delta"] for one in group if one["delta"] != delta})),
        repeats=tuple(sorted(spans)),
    )


def _group(looks: list[dict[str, Any]], first: int, last: int) -> list[dict[str, Any]]:
    """Return the looks at seeds that are linked to first..last by shared seeds."""
    linked: list[dict[str, Any]] = []
    spans = [(first, last)]
    while spans:
        low, high = spans.pop()
        for seen in looks:
            if seen not in linked and seen["first"] <= high and low <= seen["last"]:
                linked.append(seen)
                spans.append((seen["first"], seen["last"]))
    return linked


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        looks = json.loads(read_regular(path)) if path.exists() else []
        return [
            {name: int(one[name]) for name in ("first", "last", "look", "among")}
            | {"software": str(one["software"]), "delta": float(one["delta"])}
            for one in looks
        ]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(
            f"{path}, which counts the looks at this study, is damaged; restore it, or run with another --out."
        ) from error
