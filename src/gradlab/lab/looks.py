"""How often the verdicts of a design have been looked at: each new set of seeds is a look, and looks cost."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from gradlab.lab.locks import exclusive
from gradlab.types import UserError


def look_number(folder: Path, design_hash: str, seeds: Sequence[int]) -> int:
    """Return which look at this design the given seeds are, from 1, and remember it.

    The same seeds again are the same look. Other seeds are one more look than there were sets that share a seed with
    them, so that seeds which nobody has seen are a study of their own, at full level.

    Args:
        folder: where looks are remembered, one small file a design.
        design_hash: of arms, claims and data. seeds: consecutive, those that the verdict is about to see.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{design_hash}.json"
    first, last = min(seeds), max(seeds)
    with exclusive(path.with_suffix(".lock")):
        looks = _read(path)
        for seen in looks:
            if (seen["first"], seen["last"]) == (first, last):
                return seen["look"]
        number = 1 + sum(seen["first"] <= last and first <= seen["last"] for seen in looks)
        looks.append({"first": first, "last": last, "look": number})
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_text(json.dumps(looks))
        os.replace(temporary, path)
        return number


def _read(path: Path) -> list[dict[str, int]]:
    try:
        return json.loads(path.read_text()) if path.exists() else []
    except ValueError as error:
        raise UserError(
            f"{path}, which counts the looks at this study, is damaged; run with another --out."
        ) from error
