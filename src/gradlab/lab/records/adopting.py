"""Records of further folders, copied into one's own once a result rests on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from gradlab.lab.records.placing import take_in
from gradlab.lab.records.record import Store
from gradlab.types import UserError


def adopt(names: Iterable[str], store: Store) -> int:
    """Copy those of the named records that lie elsewhere into the store's own folder, each whole or not at all.

    Returns: how many.

    Raises:
        UserError: one is not what was written.
    """
    count = 0
    for name in sorted(set(names)):
        record = store.get(name)
        if record.folder.parent == store.own:
            continue
        folder = record.folder
        damaged = take_in(store.own, name, record.listing, partial(_copy, folder))
        if damaged:
            raise UserError(f"record {folder} is damaged ({', '.join(damaged)}); leave --records without it.")
        count += 1
    return count


def _copy(folder: Path, file: str, to: Path) -> None:
    shutil.copyfile(folder / file, to)
