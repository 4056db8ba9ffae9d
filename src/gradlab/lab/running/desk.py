"""What the work of a procedure is given: its jobs, and the desk with everything that the machine offers."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab._files import write_whole
from gradlab.lab.designing.procedure import Kinds, Procedure
from gradlab.lab.records.columns import Columns
from gradlab.lab.records.record import Record, Store
from gradlab.types import UserError, derive_seed

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from gradlab.data import Dataset

CACHED_BYTES = 2 * 2**30
"""Most bytes of data sets that a process keeps for later units."""


@dataclass(frozen=True)
class Toolbox:
    """What the lab is handed, since it knows no tensor: the kinds of procedures, and what touches tensors.

    Attributes:
        kinds: by name. worker: module that a worker process runs.
        load: (name, folder of data, expected checksum) -> data set. generator: seed, device -> its stream.
        pack: tensors -> bytes of a safetensors file; unpack: path of one -> tensors.
        quiet: sets the number of threads, and returns the one before.
    """

    kinds: Kinds
    worker: str
    load: Callable[[str, str | None, str | None], Any]
    generator: Callable[[int, str], Any]
    pack: Callable[[Mapping[str, Any]], bytes]
    unpack: Callable[[Path], dict[str, Any]]
    threads: Callable[[int], int]


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes:
        share: of the unit, in [0, 1]. text: in words. rows: (seed, step, name -> value) for trackers.
        given: share that was there already, such as the epochs before a checkpoint.
    """

    share: float
    text: str
    rows: tuple[tuple[int | None, int, Mapping[str, float]], ...] = ()
    given: float = 0.0


def place_of(name: str, places: Mapping[str, str]) -> str:
    """Return where data of that name lie: a path for data of one's own, and what is derived from them, else the name."""
    for base, path in places.items():
        if name == base or (name.startswith(base) and name[len(base)] in "[#@:"):
            return path + name[len(base) :]
    return name


class DataCache:
    """Data sets that were loaded, the latest used last, within a number of bytes."""

    def __init__(self, load: Callable[[str, str | None, str | None], Any], most: int = CACHED_BYTES) -> None:
        self.load, self.most = load, most
        self._kept: OrderedDict[tuple[str, str | None, str | None], Any] = OrderedDict()

    def get(self, name: str, folder: str | None, checksum: str | None) -> Any:
        """Return a data set, loaded once.

        Raises:
            UserError: its content is not what the checksum says.
        """
        key = (name, folder, checksum)
        if key not in self._kept:
            self._kept[key] = self.load(name, folder, checksum)
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > self.most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def _bytes(data: Any) -> int:
    splits = getattr(data, "splits", {}).values()
    return sum(int(getattr(getattr(split, "images", None), "nbytes", 0)) for split in splits)


@dataclass
class Desk:
    """What the machine offers to one unit of work.

    Attributes:
        device: such as "cpu" or "cuda:1". precision, threads: of the run. checkpoint: file of the unit's own.
        content: name of data -> checksum that the spec holds. places: name -> path, of data that is no catalogue's.
        memory: data sets that live in this process.
        modules: a user's own networks, or what makes them, by name.
    """

    toolbox: Toolbox
    device: str
    precision: str
    threads: int
    checkpoint: Path
    cache: DataCache
    content: Mapping[str, str] = field(default_factory=dict)
    data_dir: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    tell: Callable[[Progress], None] = lambda _: None

    def data(self, name: str) -> Dataset:
        """Return a data set that the procedure names; its content is that of the spec."""
        if name in self.memory:
            return self.memory[name]  # type: ignore[no-any-return]
        return self.cache.get(place_of(name, self.places), self.data_dir, self.content.get(name))  # type: ignore[no-any-return]

    def in_parts(
        self, name: str, count: int, make: Callable[[int], Mapping[str, Tensor]]
    ) -> list[dict[str, Any]]:
        """Return `make(0)`, `make(1)`, …; every finished part is a file, so that killed work goes on where it was.

        Args:
            name: of these parts within the unit. make: returns the tensors of one part, on any device.
        """
        folder, found = self.checkpoint.with_suffix(".parts"), []
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:12]}.{number}.safetensors"
            kept = self._part(path)
            if kept is None:
                write_whole(path, self.toolbox.pack(make(number)))
                kept = self.toolbox.unpack(path)
            found.append(kept)
        return found

    def _part(self, path: Path) -> dict[str, Any] | None:
        """Read a finished part; one that cannot be read is made again."""
        if not path.is_file():
            return None
        try:
            return self.toolbox.unpack(path)
        except UserError:
            return None


@dataclass(frozen=True)
class Source:
    """An input that has no record: a given network, or pretrained weights."""

    procedure: Procedure
    hash: str


@dataclass(frozen=True)
class Job:
    """One run of a unit.

    Attributes:
        seed: None where nothing of it is random. inputs: records, or sources, by name. spec: as it will be kept.
    """

    seed: int | None
    inputs: Mapping[str, Record | Source]
    spec: Mapping[str, Any]
    desk: Desk
    store: Store

    def generator(self, *names: str | int, device: str | None = None) -> Generator:
        """Return a stream of random numbers of its own; adding one shifts no other."""
        seed = derive_seed(self.seed or 0, self.spec["procedure"]["kind"], *names)
        return self.desk.toolbox.generator(seed, device or self.desk.device)  # type: ignore[no-any-return]

    def network(self, name: str = "net") -> nn.Module:
        """Return the network that an input holds, in eval mode, on the desk's device."""
        source = self.inputs[name]
        record: Record | Procedure = source.procedure if isinstance(source, Source) else source
        named = record.spec["procedure"]["kind"] if isinstance(record, Record) else record.kind
        kind = self.desk.toolbox.kinds[named]
        if kind.network is None:
            raise UserError(
                f"a run of kind '{kind.name}' leaves no network; give one that trains, or a network."
            )
        network = kind.network(record, self.desk, self.store)
        return network.to(self.desk.device).eval()  # type: ignore[no-any-return]

    def facts(self, name: str = "net") -> Mapping[str, Any]:
        """Return the facts of an input; a source has none."""
        source = self.inputs[name]
        return {} if isinstance(source, Source) else source.facts


def load_columns(parts: Sequence[Columns]) -> Columns:
    """Join tables of the same columns, one below the other."""
    import numpy as np

    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
