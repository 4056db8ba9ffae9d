"""Units of work: what of a design has no record yet, each once, inputs first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gradlab.lab.designing.design import name_of
from gradlab.lab.designing.procedure import Kinds, Procedure, dump_procedure, read_procedure
from gradlab.lab.records.binding import Binder, Bound, PendingError, spec_hash
from gradlab.lab.records.record import Store


@dataclass(frozen=True)
class Unit:
    """Runs of one procedure that are made together.

    Attributes:
        bounds: one a seed. label: of the first arm that wants it, for people. cost: relative time.
        needs: names of the units that have to be done before. arms: how many arms read these runs.
    """

    bounds: tuple[Bound, ...]
    label: str
    cost: float
    needs: tuple[str, ...] = ()
    arms: int = 1

    @property
    def title(self) -> str:
        """What it is, for people: "plain-8, seeds 0–5", "pgd-0 and 4 more arms, seed 3"."""
        more = self.arms - 1
        arms = f" and {more} more arm{'s' if more > 1 else ''}" if more else ""
        seeds = self.seeds
        told = f", seeds {seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else f", seed {seeds[0]}" if seeds else ""
        return f"{self.label}{arms}{told}"

    @property
    def short(self) -> str:
        """The arm alone, with its seed where others run beside it."""
        return f"{self.label}, seed {self.seeds[0]}" if len(self.seeds) == 1 else self.label

    @property
    def seeds(self) -> list[int]:
        """The seeds of its runs; of one without a seed, those of what it reads."""
        return list(dict.fromkeys(seed for one in self.bounds for seed in _seeds_of(one)))

    @property
    def name(self) -> str:
        """Unique name: that of its first run's record."""
        return self.bounds[0].hash

    @property
    def procedure(self) -> Procedure:
        """What its runs do."""
        return self.bounds[0].procedure


def _seeds_of(bound: Bound) -> list[int]:
    if bound.seed is not None:
        return [bound.seed]
    return [seed for one in bound.inputs.values() for seed in _seeds_of(one)]


Cost = Callable[[Procedure], float]


class Planned(NamedTuple):
    """What of a design has to run.

    Attributes:
        missing: units without records, inputs first. waits: whether a `Pick` still waits for some of them, so that it has to
            be asked again afterwards. finished: names of the units that have theirs.
    """

    missing: list[Unit]
    waits: bool
    finished: set[str]


def units(
    wanted: Iterable[tuple[str, Procedure]], seeds: Sequence[int], binder: Binder, store: Store, cost: Cost
) -> Planned:
    """Return what has to run so that every procedure has its records; `wanted` holds (label, procedure) of every arm."""
    wanted = list(wanted)
    plan = _Plan(binder, store, cost, Counter(name_of(procedure) for _, procedure in wanted))
    waits = False
    for label, procedure in wanted:
        for seed in seeds:
            try:
                plan.add(binder.bind(procedure, seed), label)
            except PendingError as pending:
                waits = True
                for bound in pending.bound:
                    plan.add(bound, label)
    return Planned(list(plan.units.values()), waits, plan.finished)


def start_of(waiting: Sequence[Unit]) -> dict[str, Any]:
    """Return the event that says what is about to run."""
    return {
        "event": "start",
        "units": [(one.label, one.name, one.cost) for one in waiting],
        "titles": {one.name: (one.short, one.title) for one in waiting},
        "runs": {one.name: len(one.bounds) for one in waiting},
    }


class _Plan:
    def __init__(self, binder: Binder, store: Store, cost: Cost, arms: Mapping[str, int]) -> None:
        self.binder, self.store, self.cost, self.arms = binder, store, cost, arms
        self.units: dict[str, Unit] = {}
        self.done: dict[str, tuple[str, ...]] = {}
        self.found: dict[str, Path | None] = {}
        self.blocks: dict[tuple[int, int], tuple[Bound, ...]] = {}
        self.whole: dict[str, bool] = {}
        self.finished: set[str] = set()

    def add(self, bound: Bound, label: str) -> tuple[str, ...]:
        """Plan a run and all that it needs; returns the names of the units that make it."""
        if not bound.has_record:
            return tuple(name for one in bound.inputs.values() for name in self.add(one, label))
        if bound.hash not in self.done:
            self.done[bound.hash] = () if self._is_there(bound) else self._unit(bound, label)
        return self.done[bound.hash]

    def _is_there(self, bound: Bound) -> bool:
        """Whether a run has its record; a block of our own that was cut off among its records is completed."""
        if self._folder(bound) != self.store.own:
            return self._folder(bound) is not None
        mates = self._mates(bound)
        name = mates[0].hash
        if name not in self.whole:
            self.whole[name] = all(self._folder(one) for one in mates)
        if self.whole[name]:
            self.finished.add(name)
        return self.whole[name]

    def _folder(self, bound: Bound) -> Path | None:
        if bound.hash not in self.found:
            record = self.store.find(bound.hash)
            self.found[bound.hash] = None if record is None else record.folder.parent
        return self.found[bound.hash]

    def _mates(self, bound: Bound) -> tuple[Bound, ...]:
        """Return the runs that are made together with this one, itself included."""
        if bound.seed is None:
            return (bound,)
        seeds = self.binder.block(bound.procedure, bound.seed)
        key = (id(bound.procedure), seeds[0])
        if key not in self.blocks:
            self.blocks[key] = tuple(self.binder.bind(bound.procedure, seed) for seed in seeds)
        return self.blocks[key]

    def _unit(self, bound: Bound, label: str) -> tuple[str, ...]:
        mates = self._mates(bound)
        needs = {name for one in mates for below in one.inputs.values() for name in self.add(below, label)}
        cost, arms = self.cost(bound.procedure) * len(mates), self.arms.get(name_of(bound.procedure)) or 1
        unit = Unit(mates, label, cost, tuple(sorted(needs)), arms)
        self.units.setdefault(unit.name, unit)
        for one in mates:
            self.done[one.hash] = (unit.name,)
        return (unit.name,)


def path_costs(waiting: Sequence[Unit]) -> dict[str, float]:
    """Return unit -> cost of the costliest chain that begins with it: the first to start where workers are few."""
    above: dict[str, list[Unit]] = {}
    for unit in waiting:
        for name in unit.needs:
            above.setdefault(name, []).append(unit)
    found: dict[str, float] = {}

    def cost(unit: Unit) -> float:
        if unit.name not in found:
            found[unit.name] = unit.cost + max((cost(one) for one in above.get(unit.name, ())), default=0.0)
        return found[unit.name]

    for unit in waiting:
        cost(unit)
    return found


def dump_unit(unit: Unit) -> dict[str, Any]:
    """Return what a worker needs to know of a unit, as plain JSON data."""
    return {"label": unit.label, "cost": unit.cost, "runs": [_dump(bound) for bound in unit.bounds]}


def _dump(bound: Bound) -> dict[str, Any]:
    inputs = {
        name: {"hash": one.hash, "source": None if one.has_record else dump_procedure(one.procedure)}
        for name, one in bound.inputs.items()
    }
    return {
        "procedure": dump_procedure(bound.procedure),
        "seed": bound.seed,
        "spec": bound.spec,
        "hash": bound.hash,
        "inputs": inputs,
    }


def read_unit(data: Mapping[str, Any], kinds: Kinds) -> Unit:
    """Rebuild a unit from what `dump_unit` returned; of its inputs only their names are known."""
    return Unit(tuple(_read(one, kinds) for one in data["runs"]), data["label"], data["cost"])


def _read(data: Mapping[str, Any], kinds: Kinds) -> Bound:
    procedure = read_procedure(data["procedure"], kinds)
    inputs = {}
    for name, one in data["inputs"].items():
        source = one["source"] and read_procedure(one["source"], kinds)
        inputs[name] = Bound(source or procedure, None, one["hash"], {}, {}, has_record=source is None)
    assert spec_hash(data["spec"]) == data["hash"] or procedure.kind == "record"
    return Bound(procedure, data["seed"], data["hash"], dict(data["spec"]), inputs)
