"""What of a design has no record yet: each once, inputs first, the costliest chain first."""

import json

import pytest

from gradlab.lab import Pick
from gradlab.lab.records.binding import PendingError
from gradlab.lab.records.record import Store
from gradlab.lab.running.desk import DataCache
from gradlab.lab.running.local import Waiting
from gradlab.lab.running.performing import Bench
from gradlab.lab.running.units import Unit, dump_unit, path_costs, read_unit, units
from tests.lab.records.outcomes import binder, write
from tests.lab.toy import TOOLBOX, Constant, Draw, Sum

LOW, HIGH = Draw(mean=-1.0), Draw(mean=1.0)


def planned(tmp_path, wanted, seeds=(0,), bind=None):
    made = bind or binder()
    return units([(str(n), one) for n, one in enumerate(wanted)], seeds, made, Store(tmp_path), lambda _: 1.0)


def procedures(found):
    return [unit.procedure for unit in found]


def test_a_unit_is_called_by_its_arms_and_seeds(tmp_path):
    wanted = [("low", LOW), ("same", Draw(mean=-1.0)), ("high", HIGH), ("sum", Sum(of=(LOW, HIGH)))]
    found, *_ = units(wanted, (0, 1), binder(), Store(tmp_path), lambda _: 1.0)
    titles = [(unit.short, unit.title) for unit in found]
    assert titles == [  # toys draw in blocks of three seeds
        ("low", "low and 1 more arm, seeds 0–2"),
        ("high", "high, seeds 0–2"),
        ("sum, seed 0", "sum, seed 0"),
        ("sum, seed 1", "sum, seed 1"),
    ]


def test_inputs_come_before_what_reads_them_and_everything_is_there_once(tmp_path):
    deep = Sum(of=(Sum(of=(LOW, HIGH)), LOW))
    found, waits, _ = planned(tmp_path, [deep, HIGH, Draw(mean=1.0), deep])
    assert not waits
    assert len(found) == 4
    place = {unit.name: number for number, unit in enumerate(found)}
    for unit in found:
        assert all(place[name] < place[unit.name] for name in unit.needs)
    assert procedures(found)[-1] == deep
    assert len(found[-1].needs) == 2


def test_whole_blocks_are_planned_whatever_seeds_are_asked_for(tmp_path):
    found, *_ = planned(tmp_path, [LOW], seeds=(1, 4))
    assert [[bound.seed for bound in unit.bounds] for unit in found] == [[0, 1, 2], [3, 4, 5]]
    assert [unit.cost for unit in found] == [3.0, 3.0]
    found, *_ = planned(tmp_path, [Sum(of=(LOW,))], seeds=(1,))
    assert [[bound.seed for bound in unit.bounds] for unit in found] == [[0, 1, 2], [None]]


def test_work_without_chance_over_a_source_is_one_run_for_all_seeds(tmp_path):
    found, *_ = planned(tmp_path, [Sum(of=(Constant(name="c", digest="0"),))], seeds=range(6))
    assert len(found) == 1
    assert found[0].needs == ()


def test_what_has_a_record_is_not_planned_and_needed_by_nobody(tmp_path):
    record = write(tmp_path / "other")  # seed 3 of a draw
    store = Store(tmp_path, (tmp_path / "other",))

    def missing(procedure, place=store):
        return units([("a", procedure)], (3,), binder(), place, lambda _: 1.0)[0]

    assert missing(Draw()) == []
    assert [unit.needs for unit in missing(Sum(of=(Draw(),)))] == [()]
    (cut,) = missing(Draw(), Store(tmp_path / "other"))  # a block of our own that a kill left with one record
    assert [bound.seed for bound in cut.bounds] == [3, 4, 5]
    (record.folder / "manifest.json").unlink()
    assert len(missing(Draw(), Store(tmp_path, (tmp_path / "other",)))) == 1


def test_a_pick_waits_for_its_candidates(tmp_path):
    def choose(_pick, among):
        raise PendingError(among)

    from gradlab.lab.records.binding import Binder

    known = binder()
    made = Binder(known.kinds, known.conditions, choose)
    found, waits, _ = planned(tmp_path, [Sum(of=(Pick(among=(LOW, HIGH), by="distance"),))], bind=made)
    assert waits
    assert procedures(found) == [LOW, HIGH]


def unit(name, cost, *needs):
    bound = binder().bind(Draw(mean=float(name)), 0)
    return Unit((bound,), str(name), cost, tuple(needs))


def test_the_costliest_chain_begins_first(tmp_path):
    cheap, long, alone = unit(1, 1.0), unit(2, 2.0), unit(3, 6.0)
    last = unit(4, 5.0, cheap.name)
    middle = unit(5, 1.0, long.name)
    costs = path_costs([cheap, long, alone, last, middle])
    assert costs == {cheap.name: 6.0, long.name: 3.0, alone.name: 6.0, last.name: 5.0, middle.name: 1.0}
    bench = Bench(toolbox=TOOLBOX, out=tmp_path, cache=DataCache(TOOLBOX.load))
    waiting = Waiting([middle, last, long, alone, cheap], bench)
    assert [one.label for one in waiting.units] == ["3", "1", "4", "2", "5"]
    taken, locks = [], []
    while (claimed := waiting.claim(lambda _event: None)) is not None:
        taken.append(claimed[0].label)
        locks.append(claimed[1])
    assert taken == ["3", "1", "2"]  # the others wait for their inputs
    waiting.undone.discard(cheap.name)
    claimed = waiting.claim(lambda _event: None)
    assert claimed is not None
    assert claimed[0].label == "4"
    for lock in (*locks, claimed[1]):
        lock.close()


@pytest.mark.parametrize(
    "procedure", [LOW, Sum(of=(LOW, HIGH)), Sum(of=(Constant(name="c", digest="0f"), LOW))], ids=str
)
def test_a_worker_is_told_all_that_it_needs(tmp_path, procedure):
    whole = planned(tmp_path, [procedure])[0][-1]
    again = read_unit(json.loads(json.dumps(dump_unit(whole))), TOOLBOX.kinds)
    assert (again.name, again.label, again.cost) == (whole.name, whole.label, whole.cost)
    assert again.procedure == procedure
    for one, other in zip(again.bounds, whole.bounds, strict=True):
        assert (one.seed, one.hash, one.spec) == (other.seed, other.hash, other.spec)
        assert {n: (b.hash, b.has_record) for n, b in one.inputs.items()} == {
            n: (b.hash, b.has_record) for n, b in other.inputs.items()
        }
