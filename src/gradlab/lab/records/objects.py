"""Finished records in an object store, through fsspec: the files first, the manifest last, which is the commit.

The manifest of a record is `manifests/HASH.json`, and its files lie in `records/HASH/DIGEST/`, where DIGEST is that of this very
manifest: two writers of one record never mix their files, and whatever was copied in part is no record.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import uuid
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from gradlab.lab.records.placing import take_in
from gradlab.lab.records.record import Record
from gradlab.types import UserError

LOCAL = ("file", "local")
"""Protocols of folders, which have to be made before something is written there."""


class ObjectStore:
    """A place that machines without a common folder share, such as "s3://bucket/study".

    Raises:
        UserError: nothing here knows such a place; and from all methods, it cannot be reached or written.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._fs, self._root = _open(self.url)
        self._kept: set[str] = set()

    def check(self) -> None:
        """Write something and remove it, so that a store that cannot be written is said before any work is done."""
        with self.marked():
            pass

    @contextlib.contextmanager
    def marked(self) -> Iterator[str]:
        """Lay an object of a name that nobody else has there; yields the name, by which others see that it is the same store."""
        name = f"{uuid.uuid4().hex}.mark"
        path = f"{self._root}/marks/{name}"
        with self._reached():
            self._fs.pipe_file(path, b"gradlab")
        try:
            yield name
        finally:
            with self._reached(), contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(path)

    def has_mark(self, name: str) -> bool:
        """Whether the object that `marked` laid somewhere is seen from here."""
        return self._read(f"{self._root}/marks/{name}") is not None

    @cached_property
    def listed(self) -> set[str]:
        """The names of the records that were there when first asked."""
        with self._reached():
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(f"{self._root}/manifests", detail=False)
            except FileNotFoundError:  # nothing was kept yet
                found = []
        return {Path(one).stem for one in found if str(one).endswith(".json")}

    def fetch_listed(self, name: str, records: Path) -> bool:
        """Do the same as `fetch`, but ask only for what was there when first asked, which saves a request for every other."""
        return name in self.listed and self.fetch(name, records)

    def fetch(self, name: str, records: Path) -> bool:
        """Copy a record into a folder of records; returns whether it is there.

        Raises:
            UserError: its files are not those of its manifest.
        """
        manifest = self._manifest(name)
        if manifest is None:
            return False
        folder = self._folder(name, manifest)

        def bring(file: str, to: Path) -> None:
            with self._reached(FileNotFoundError):
                self._fs.get_file(f"{folder}/{file}", str(to))

        if damaged := take_in(records, name, manifest, bring):
            raise UserError(
                f"record {name} in {self.url} is damaged ({', '.join(damaged)}); delete {self.url}/manifests/{name}.json there "
                "and ask again: it is then made anew."
            )
        self._kept.add(name)
        return True

    def keep(self, record: Record) -> bool:
        """Copy a record there, unless one of its name is there; returns whether it was copied.

        Raises:
            UserError: its files are not those of its manifest.
        """
        if record.hash in self._kept:
            return False
        is_new = self._manifest(record.hash) is None
        if is_new:
            if damaged := record.damaged():
                raise UserError(
                    f"record {record.folder} is damaged ({', '.join(damaged)}); delete it and ask again."
                )
            manifest = record.listing
            folder = self._folder(record.hash, manifest)
            with self._reached():
                for file in sorted(record.manifest["files"]):
                    self._fs.put_file(str(record.folder / file), f"{folder}/{file}")
                self._fs.pipe_file(self._commit(record.hash), manifest)
        self._kept.add(record.hash)
        return is_new

    def _commit(self, name: str) -> str:
        return f"{self._root}/manifests/{name}.json"

    def _folder(self, name: str, manifest: bytes) -> str:
        return f"{self._root}/records/{name}/{hashlib.sha256(manifest).hexdigest()[:20]}"

    def _manifest(self, name: str) -> bytes | None:
        """Return the manifest of a record; None where there is none, or where its own writing was cut off, as on a disk."""
        content = self._read(self._commit(name))
        with contextlib.suppress(ValueError):
            return content if content is not None and isinstance(json.loads(content), dict) else None
        return None

    def _read(self, path: str) -> bytes | None:
        with self._reached():
            try:
                content: bytes = self._fs.cat_file(path)
            except FileNotFoundError:
                return None
        return content

    @contextlib.contextmanager
    def _reached(self, *passed: type[Exception]) -> Iterator[None]:
        """Say in a sentence that the store does not do what is asked; its drivers raise errors of many kinds."""
        try:
            yield
        except passed:
            raise
        except Exception as error:
            raise UserError(
                f"the store {self.url} cannot be used ({_short(error)}); mend it and ask again: finished runs are kept in --out."
            ) from error


def _short(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


@functools.cache
def object_store(url: str) -> ObjectStore:
    """Return the store at a URL, of which a process needs one; errors as for `ObjectStore`."""
    return ObjectStore(url)


def _open(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it."""
    try:
        core: Any = import_module("fsspec.core")
        more = {"auto_mkdir": True} if (core.split_protocol(url)[0] or "file") in LOCAL else {}
        fs, root = core.url_to_fs(url, **more)
    except ImportError as error:
        raise UserError(
            f"--store {url} needs a package that is not installed: pip install 'gradlab[store]' for s3://; "
            f"of others fsspec says: {_short(error)}"
        ) from error
    except ValueError as error:
        raise UserError(
            f"--store takes a URL that fsspec knows, such as s3://bucket/study, got '{url}' ({_short(error)})."
        ) from error
    return fs, str(root).rstrip("/")
