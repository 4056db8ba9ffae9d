"""Studies of machines without a common folder: what one has finished the other fetches, by hand or on a cluster."""

import contextlib
import uuid
from pathlib import Path

import pytest

from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.running import ray
from gradlab.preparing import prepare
from gradlab.types import UserError
from tests.kills import columns_of, leftovers
from tests.lab import toy
from tests.lab.running.test_cluster import LOST, Played, one


@pytest.fixture
def url():
    return f"memory://{uuid.uuid4().hex}"


def run(out, url, seeds=(0, 1, 2), **more):
    """Run the toy in this process; returns its result and the names of the units that were done."""
    done = []

    def hear(event):
        if event["event"] == "done":
            done.append(event["unit"])

    asked = more.pop("asked", toy.here)(out, seeds, objects=ObjectStore(url), **more)
    return toy.run(toy.small_design(), asked, on_event=hear), done


def test_what_one_machine_has_finished_another_only_fetches(tmp_path, toy_finished, url):
    first, done = run(tmp_path / "one", url)
    assert len(done) > 2
    again, nothing = run(tmp_path / "two", url)
    assert nothing == []
    assert columns_of(tmp_path / "two") == columns_of(tmp_path / "one") == columns_of(toy_finished)
    for name in ("claims", "tables", "figures"):
        assert again[name] == first[name]
    assert leftovers(tmp_path / "two") == []
    _, added = run(tmp_path / "two", url, seeds=(0, 1, 2, 3, 4, 5))
    assert added
    assert ObjectStore(url).listed == {path.name for path in (tmp_path / "two" / "records").iterdir()}


def test_worker_processes_need_no_store(tmp_path, url, toy_finished):
    run(tmp_path, url, asked=toy.request)
    assert columns_of(tmp_path) == columns_of(toy_finished)
    assert ObjectStore(url).listed == {path.name for path in (tmp_path / "records").iterdir()}


def test_what_was_finished_without_the_store_is_kept_there_the_next_time(tmp_path, url):
    toy.run(toy.small_design(), toy.here(tmp_path))
    _, done = run(tmp_path, url)
    assert done == []
    assert ObjectStore(url).listed == {path.name for path in (tmp_path / "records").iterdir()}


def test_a_store_that_cannot_be_written_is_said_before_anything_is_done(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"the store file://.* cannot be used"):
        run(tmp_path / "out", f"file://{tmp_path}/file/store")
    assert not list((tmp_path / "out" / "records").iterdir())


def test_a_store_that_fails_in_between_ends_the_study_and_what_is_finished_stays(tmp_path, url, monkeypatch):
    keep, calls = ObjectStore.keep, []

    def fail_at_second(self, record):
        calls.append(record)
        if len(calls) > 1:
            raise UserError("the store has gone.")
        return keep(self, record)

    monkeypatch.setattr(ObjectStore, "keep", fail_at_second)
    with pytest.raises(UserError, match=r"^the store has gone\.$"):
        run(tmp_path, url)
    assert list((tmp_path / "records").glob("*/manifest.json"))
    assert len(ObjectStore(url).listed) == 1
    monkeypatch.undo()
    run(tmp_path, url)
    assert ObjectStore(url).listed == {path.name for path in (tmp_path / "records").iterdir()}


class Nodes(Played):
    """A cluster whose nodes, by turns, have folders of their own and nothing else in common but the store."""

    def __init__(self, folder: Path, plays=()):
        super().__init__(plays)
        self.folder = folder

    def submit(self, unit, task):
        number = len(self.tasks) % 2
        super().submit(unit, task | {"out": str(self.folder / f"node{number}")})


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    """Return what runs a design on nodes without a common folder."""

    def run(*plays, design=None, url=None):
        run.cluster, run.events = Nodes(tmp_path, plays), []
        monkeypatch.setattr(ray, "ray_cluster", lambda *_: contextlib.nullcontext(run.cluster))
        store = ObjectStore(url or f"file://{tmp_path}/store")
        asked = toy.request(tmp_path / "out", executor="ray", objects=store)
        return toy.run(design or toy.small_design(), asked, on_event=run.events.append)

    return run


def test_nodes_without_a_common_folder_give_the_same_bits(tmp_path, toy_finished, nodes):
    nodes()
    assert columns_of(tmp_path / "out") == columns_of(toy_finished)
    assert leftovers(tmp_path / "out") == leftovers(tmp_path / "node0") == []
    mine = [{path.name for path in (tmp_path / f"node{n}" / "records").iterdir()} for n in (0, 1)]
    assert all(mine)
    assert not any((tmp_path / "store" / "marks").iterdir())


def test_a_lost_nodes_unit_is_done_again_elsewhere(tmp_path, toy_finished, nodes):
    nodes(LOST)
    told = [event["text"] for event in nodes.events if event["event"] == "told"]
    assert told == ["low, seeds 0–2: its worker process died; it is done again."]
    assert columns_of(tmp_path / "out") == columns_of(toy_finished)


def test_a_node_that_could_not_copy_its_records_copies_them_the_next_time(tmp_path, nodes, monkeypatch):
    def fail(*_):
        raise UserError("no way to the store.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ObjectStore, "keep", fail)
        with pytest.raises(UserError, match=r"^no way to the store\.$"):
            nodes(design=one())
    monkeypatch.setattr("gradlab.lab.running.remote.answer_to", None)  # nothing is done again
    nodes(design=one())
    assert len(list((tmp_path / "out" / "records").iterdir())) == 3


def test_a_node_that_sees_another_store_is_refused(tmp_path, nodes):
    def elsewhere(task):
        task["store"] = f"file://{tmp_path}/elsewhere"

    with pytest.raises(
        UserError, match=r"elsewhere on .+ is not the store of this study; give a --store that all nodes"
    ):
        nodes(elsewhere, design=one())


def test_a_unit_that_says_it_is_done_and_left_no_record_in_the_store_is_said(nodes, monkeypatch):
    monkeypatch.setattr("gradlab.lab.running.cluster.PATIENCE", 0.0)
    with pytest.raises(UserError, match=r"its record is not in file://.*; give a --store that all nodes"):
        nodes({"event": "done"}, design=one())


def test_a_url_is_no_folder_and_a_store_is_no_part_of_what_comes_out(tmp_path, monkeypatch):
    asked = {
        "preset": "quick", "data": "digits", "data_dir": None, "seeds": 6, "first_seed": 0, "device": "cpu",
        "precision": "fp32", "parameters": {}, "command": None,
    }  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for out in ("s3://bucket/runs", Path("s3://bucket/runs")):
        with pytest.raises(
            UserError, match=r"^--out is a folder on this machine, got s3:/+bucket/runs; give .* --store\.$"
        ):
            prepare("tour", **asked, out=out)
    assert not list(tmp_path.iterdir())
    _, request, _ = prepare("tour", **asked, out="runs", store="memory://x")
    assert request.objects.url == "memory://x"
    assert "memory" not in request.command + request.report
