"""A unit on another machine: what is checked there before it is done, and where what libraries print goes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

from gradlab.lab.records.binding import software_of
from gradlab.lab.records.objects import ObjectStore, object_store
from gradlab.lab.records.record import Store
from gradlab.lab.running.desk import DataCache, Toolbox
from gradlab.lab.running.performing import checkpoint_of
from gradlab.lab.running.units import Unit, read_unit
from gradlab.lab.running.worker import Event, answer_to
from gradlab.types import UserError


def do_task(task: Event, tell: Callable[[Event], None]) -> Event:
    """Do a unit in this process, which may be anywhere, and return how it ended.

    Args:
        task: what `local.task_of` returns, and what `cluster` adds to it.
        tell: hears its progress, with the name of the unit.
    """
    with contextlib.suppress(
        OSError
    ):  # a folder of this name is needed only where something is named by a relative path
        os.chdir(task["folder"])
    name = task["unit"]["runs"][0]["hash"]
    toolbox = importlib.import_module(task["toolbox"]).TOOLBOX
    unit = read_unit(task["unit"], toolbox.kinds)

    def hear(event: Event) -> None:
        tell(event | {"unit": name})

    try:
        objects = object_store(task["store"]) if task["store"] else None
        wrong = unfit(unit, toolbox, task, objects)
        if wrong is not None:
            return {"event": "failed", "unit": name, "message": wrong}
        with _logged(checkpoint_of(name, Path(task["out"])).with_suffix(".log")):
            if objects is None:
                return answer_to(task, toolbox, _cache(task["toolbox"]), hear) | {"unit": name}
            return _do_and_keep(task, unit, toolbox, objects, hear) | {"unit": name}
    except UserError as error:
        return {"event": "failed", "unit": name, "message": str(error)}


def _do_and_keep(
    task: Event, unit: Unit, toolbox: Toolbox, objects: ObjectStore, hear: Callable[[Event], None]
) -> Event:
    """Do a unit whose records others find in an object store, unless only the copying is left to do."""
    own = Store(Path(task["out"]) / "records")
    if not all(own.find(bound.hash) for bound in unit.bounds):
        end = answer_to(task, toolbox, _cache(task["toolbox"]), hear)
        if end["event"] != "done":
            return end
    for bound in unit.bounds:
        objects.keep(own.get(bound.hash))
    return {"event": "done"}


def unfit(unit: Unit, toolbox: Toolbox, task: Event, objects: ObjectStore | None) -> str | None:
    """Say why a unit cannot be done here: another folder or store, other code, or other software than its spec names."""
    node = platform.node()
    if objects is not None:
        for folder in ("records", "work"):
            (Path(task["out"]) / folder).mkdir(parents=True, exist_ok=True)
        if not objects.has_mark(task["mark"]):
            return f"{objects.url} on {node} is not the store of this study; give a --store that all nodes of the cluster reach."
    elif not (Path(task["out"]) / "work" / task["mark"]).exists():
        return (
            f"{task['out']} on {node} is not the folder of this study; give an --out folder that all nodes of the cluster "
            "share."
        )
    if code_digest() != task["code"]:
        return f"gradlab on {node} is not the one that this study was asked with; install the same one on all nodes."
    here = software_of([one.procedure for one in unit.bounds], toolbox.kinds)
    for bound in unit.bounds:
        for package, version in bound.spec["software"].items():
            if here.get(package, version) != version:
                return (
                    f"{node} has {package} {here[package]}, and this study was asked for with {version}; install the same "
                    "version on all nodes."
                )
    return None


@functools.cache
def code_digest() -> str:
    """Return a digest of the content of gradlab's own source files."""
    root = Path(__file__).resolve().parents[2]
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return found.hexdigest()


@functools.cache
def _cache(toolbox: str) -> DataCache:
    """Return the data that this process has loaded, which its next unit may need as well."""
    return DataCache(importlib.import_module(toolbox).TOOLBOX.load)


@contextlib.contextmanager
def _logged(log: Path) -> Iterator[None]:
    """Write what is printed within the block to the unit's log, which goes with the unit; an empty one is removed."""
    kept = [os.dup(1), os.dup(2)]
    try:
        with log.open("ab") as file:
            for place in (1, 2):
                os.dup2(file.fileno(), place)
        yield
    finally:
        for place, before in zip((1, 2), kept, strict=True):
            os.dup2(before, place)
            os.close(before)
        with contextlib.suppress(OSError):
            if log.stat().st_size == 0:
                log.unlink()
