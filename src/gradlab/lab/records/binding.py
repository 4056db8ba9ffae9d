"""From a procedure and a seed to the name of its record: everything that the result depends on, hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from gradlab.lab.designing.procedure import (
    Kinds,
    Pick,
    Procedure,
    dump_procedure,
    inputs_of,
    names_of,
    roles,
    walk,
)
from gradlab.types import UserError

FORMAT = 2
"""Of specs; raised when what is hashed changes."""


@dataclass(frozen=True)
class Conditions:
    """What a run depends on beside its procedure and seed.

    Attributes:
        checksums: name of data or weights -> checksum of the content. software: package -> version.
        versions: kind of procedure -> its version.
        processes: that divide each training; where there are several, sums are rounded in another order.
    """

    device: str
    precision: str
    threads: int
    checksums: Mapping[str, str]
    software: Mapping[str, str]
    versions: Mapping[str, int]
    processes: int = 1


@dataclass(frozen=True)
class Bound:
    """A procedure at one seed, with the name of its record.

    Attributes:
        hash: name of the record; of a source, which has none, its identity. has_record: false for a source.
        spec: as the record keeps it. inputs: by name.
    """

    procedure: Procedure
    seed: int | None
    hash: str
    spec: dict[str, Any] = field(compare=False)
    inputs: Mapping[str, Bound] = field(compare=False)
    has_record: bool = True

    def __hash__(self) -> int:
        return hash(self.hash)


class PendingError(Exception):
    """A `Pick` cannot choose yet: `bound` are the runs that have to be there first."""

    def __init__(self, bound: tuple[Bound, ...]) -> None:
        super().__init__("a choice waits for its runs")
        self.bound = bound


Choose = Callable[[Pick, tuple[Bound, ...]], int]
"""Which of the bound candidates a Pick takes; raises PendingError where they have no records yet."""


class Binder:
    """Binds procedures under given conditions; the same again costs nothing."""

    def __init__(self, kinds: Kinds, conditions: Conditions, choose: Choose) -> None:
        self.kinds, self.conditions, self.choose = kinds, conditions, choose
        self._known: dict[tuple[int, int | None], tuple[Procedure, Bound]] = {}
        self._dumped: dict[int, tuple[Procedure, dict[str, Any]]] = {}

    def bind(self, procedure: Procedure, seed: int) -> Bound:
        """Name the record of a procedure at a seed.

        Raises:
            PendingError: a Pick below it cannot choose yet.
        """
        key = (id(procedure), seed)
        if key not in self._known:
            self._known[key] = (procedure, self._bind(procedure, seed))
        return self._known[key][1]

    def _bind(self, procedure: Procedure, seed: int) -> Bound:
        if isinstance(procedure, Pick):
            among = tuple(self.bind(one, seed) for one in procedure.among)
            return among[self.choose(procedure, among)]
        kind = self.kinds[procedure.kind]
        inputs = {name: self.bind(one, kind.below(procedure, seed)) for name, one in inputs_of(procedure)}
        own_seed = seed if kind.draws else None
        spec = self._spec(procedure, own_seed, inputs)
        name = spec["procedure"]["record"] if procedure.kind == "record" else spec_hash(spec)
        return Bound(procedure, own_seed, name, spec, inputs, has_record=kind.work is not None)

    def walk(self, procedure: Procedure, seeds: Sequence[int]) -> Iterator[Bound]:
        """Yield the bindings of a procedure at some seeds, then of all that it rests on or has to choose from."""
        yield from (self.bind(procedure, seed) for seed in seeds)
        kind = None if isinstance(procedure, Pick) else self.kinds[procedure.kind]
        below = seeds if kind is None else list(dict.fromkeys(kind.below(procedure, seed) for seed in seeds))
        for _, one in inputs_of(procedure):
            yield from self.walk(one, below)

    def _dump(self, procedure: Procedure) -> dict[str, Any]:
        """Return a procedure as data, the same object for all of its seeds."""
        if id(procedure) not in self._dumped:
            self._dumped[id(procedure)] = (procedure, dump_procedure(procedure))
        return self._dumped[id(procedure)][1]

    def block(self, procedure: Procedure, seed: int) -> tuple[int, ...]:
        """Return the seeds that run together with `seed`."""
        kind = self.kinds[procedure.kind]
        return block_of(seed, kind.block(procedure, self.conditions.precision)) if kind.draws else (seed,)

    def _spec(self, procedure: Procedure, seed: int | None, inputs: Mapping[str, Bound]) -> dict[str, Any]:
        kind, now = self.kinds[procedure.kind], self.conditions
        own = self._dump(procedure)
        form: Any = type(procedure)
        marked = roles(form)
        named = [*names_of(procedure, "data"), *names_of(procedure, "weights")]
        divided = {"processes": now.processes} if now.processes > 1 else {}
        return divided | {
            "format": FORMAT,
            "version": now.versions.get(kind.name, kind.version),
            "procedure": {name: value for name, value in own.items() if marked.get(name) != "input"},
            "inputs": {name: one.hash for name, one in inputs.items()},
            "content": {name: now.checksums[name] for name in named},
            "seed": seed,
            "block": kind.block(procedure, now.precision) if kind.draws else 1,
            "device": now.device,
            "precision": now.precision,
            "threads": now.threads,
            "software": {name: now.software[name] for name in kind.software_of(procedure)},
            "named": [name for name in own if marked.get(name) in ("data", "weights")],
        }


def spec_hash(spec: Mapping[str, Any]) -> str:
    """Return the name of a record: 20 hex digits over its spec, in which checksums stand for the names of data."""
    own = dict(spec["procedure"])
    for name in spec["named"]:
        own[name] = _content(own[name], spec["content"])
    rest = {name: value for name, value in spec.items() if name not in ("content", "procedure")}
    return digest({**rest, "procedure": own})[:20]


def _content(value: Any, checksums: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_content(one, checksums) for one in value]
    return None if value is None else checksums[value]


def digest(data: Any) -> str:
    """Return the SHA-256 of canonical JSON: sorted keys, no spaces."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def block_of(seed: int, size: int) -> tuple[int, ...]:
    """Return the seeds of the block that `seed` is in: 0-5, 6-11, … for six."""
    start = seed // size * size
    return tuple(range(start, start + size))


def software_of(procedures: list[Procedure], kinds: Kinds) -> dict[str, str]:
    """Return the versions that runs of these procedures depend on, without importing the packages."""
    names = {name for one in procedures for part in _all(one) for name in kinds[part.kind].software_of(part)}
    return {name: _version(name) for name in sorted(names)}


def _version(name: str) -> str:
    return version(name).split("+")[0]  # builds for CPU and GPU count alike


def content_of(
    procedures: list[Procedure], data: Callable[[str], str], weights: Callable[[str], str]
) -> dict[str, str]:
    """Return the checksum of everything that these procedures name."""
    found: dict[str, str] = {}
    for one in procedures:
        for part in _all(one):
            found |= {name: data(name) for name in names_of(part, "data") if name not in found}
            found |= {name: weights(name) for name in names_of(part, "weights") if name not in found}
    return found


def _all(procedure: Procedure) -> Iterator[Procedure]:
    return (part for part in walk(procedure) if not isinstance(part, Pick))


def refuse_test_choice(pick: Pick, kinds: Kinds) -> None:
    """Refuse a Pick that chooses by anything but a measure on validation data.

    Raises:
        UserError: no such measure, or one on other data.
    """
    kind = kinds[pick.among[0].kind]
    measure = kind.measures.get(pick.by)
    if measure is None or measure.on != "validation":
        allowed = ", ".join(name for name, one in kind.measures.items() if one.on == "validation")
        raise UserError(f"a Pick chooses by a measure on validation data ({allowed}), got '{pick.by}'.")
