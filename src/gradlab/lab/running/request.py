"""What is asked for besides a design."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from gradlab.data.contents import DataInfo
from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.records.record import Store
from gradlab.lab.running.desk import Toolbox

Executor = Literal["local", "ray"]


@dataclass(frozen=True)
class Request:
    """What is asked for besides the design.

    Attributes:
        preset, data: as asked for. places: name of data -> its path, where it is none of the catalogue.
        info: name of data -> facts about it, without loading it. data_dir: where data sets lie.
        seeds: consecutive. out: folder that holds everything. records: further folders of records, only read.
        command: that made the result, for the provenance. report: name of the report's folder.
        asked: setup and parameters of the study, from which verify builds it afresh.
        objects: a store that other machines share; finished runs are fetched from there and kept there.
        executor: "local" or "ray". address: of the head of a Ray cluster; None is this machine.
        memory: data sets that live in this process, by name. modules: a user's own networks, by name.
    """

    toolbox: Toolbox
    preset: str
    data: str
    info: Callable[[str], DataInfo]
    seeds: tuple[int, ...]
    out: Path
    records: tuple[Path, ...] = ()
    data_dir: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    precision: str = "fp32"
    command: str = ""
    report: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    workers: int | None = None
    objects: ObjectStore | None = None
    executor: Executor = "local"
    address: str | None = None

    @cached_property
    def store(self) -> Store:
        """Where the records are; a record that was found is not looked for again."""
        fetch = self.objects.fetch_listed if self.objects is not None else None
        return Store(self.out / "records", self.records, fetch)
