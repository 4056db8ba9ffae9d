"""Records of further folders, copied into one's own once a result rests on them."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable

from gradlab._files import sync_file, sync_folder
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
        if damaged := record.damaged():
            raise UserError(
                f"record {record.folder} is damaged ({', '.join(damaged)}); leave --records without it."
            )
        temporary = store.own / f".{name}.{uuid.uuid4().hex}.tmp"
        try:
            temporary.mkdir()
            for file in ("manifest.json", *record.manifest["files"]):
                shutil.copyfile(record.folder / file, temporary / file)
                sync_file(temporary / file)
            sync_folder(temporary)
            os.rename(temporary, store.own / name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        count += 1
    sync_folder(store.own)
    return count
