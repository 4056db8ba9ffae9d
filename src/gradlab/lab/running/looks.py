"""How often the verdicts of a design have been looked at: each new set of seeds is a look, and looks cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab._files import write_whole
from gradlab.lab.running.locks import exclusive
from gradlab.types import UserError


def look_number(folder: Path, design_hash: str, seeds: Sequence[int], software: str = "") -> int:
    """Return which look at this design the given seeds are, from 1, and remember it.

    The same seeds again are the same look. Other seeds are the look after the last one at any set that shares a seed
    with them, directly or through further sets, so that seeds which nobody has seen are a study of their own, at full
    level. The same seeds in another number format or on another device are a look of their own.

    Args:
        folder: where looks are remembered, one small file a design.
        design_hash: of arms, claims and data. seeds: consecutive, those that the verdict is about to see.
        software: precision, device and version that the runs' bits depend on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{design_hash}.json"
    first, last = min(seeds), max(seeds)
    with exclusive(path.with_suffix(".lock")):
        looks = _read(path)
        for seen in looks:
            if (seen["first"], seen["last"], seen["software"]) == (first, last, software):
                return int(seen["look"])
        number = 1 + max((int(seen["look"]) for seen in _group(looks, first, last)), default=0)
        looks.append({"first": first, "last": last, "software": software, "look": number})
        write_whole(path, json.dumps(looks).encode())
        return number


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
        looks = json.loads(path.read_bytes()) if path.exists() else []
        return [
            {name: int(one[name]) for name in ("first", "last", "look")} | {"software": str(one["software"])}
            for one in looks
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path}, which counts the looks at this study, is damaged; restore it, or run with another --out."
        ) from error
