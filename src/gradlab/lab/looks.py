"""How often the verdicts of a design have been looked at: each new set of seeds is a look, and looks cost."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path


def look_number(folder: Path, design_hash: str, seeds: Sequence[int]) -> int:
    """Return which look at this design the given seeds are, from 1, and remember it.

    The same seeds again are the same look. Looks at other first seeds are another study.

    Args:
        folder: where looks are remembered, one small file a design.
        design_hash: of arms, claims, data and first seed. seeds: those that the verdict is about to see.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{design_hash}.json"
    with _exclusive(path.with_suffix(".lock")):
        looks: list[int] = json.loads(path.read_text()) if path.exists() else []
        if len(seeds) not in looks:
            looks.append(len(seeds))
            temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
            temporary.write_text(json.dumps(looks))
            os.replace(temporary, path)
        return looks.index(len(seeds)) + 1


class _exclusive:  # noqa: N801 - used as a with-block
    """One process at a time, by a lock that the system releases when the process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.file = self.path.open("ab")
        try:
            import fcntl

            fcntl.flock(self.file, fcntl.LOCK_EX)
        except ImportError:
            time.sleep(0)

    def __exit__(self, *_: object) -> None:
        self.file.close()
