"""Units on a cluster that a test plays: what is handed over, what becomes of lost workers, and what is refused there."""

import contextlib
from collections import deque
from pathlib import Path

import pytest

from gradlab.lab.running import ray, remote
from gradlab.lab.running.cluster import LOSSES, needs_of
from gradlab.lab.running.locks import try_lock
from gradlab.lab.running.ray import _room
from gradlab.lab.running.ready import device_kind
from gradlab.lab.running.units import Unit
from gradlab.types import UserError
from tests.kills import columns_of, leftovers
from tests.lab import toy


class Played:
    """A cluster in this very process: a task a call, unless `plays` says what happens instead."""

    def __init__(self, plays=()):
        self.slots, self.waiting, self.plays, self.most, self.tasks = 2, deque(), deque(plays), 0, []

    def submit(self, unit, task):
        self.waiting.append((unit, task))
        self.tasks.append(task)
        self.most = max(self.most, len(self.waiting))

    def hear(self, seconds):
        assert seconds > 0
        unit, task = self.waiting.popleft()
        play = self.plays.popleft() if self.plays else None
        found = play(task) if callable(play) else play
        if found is not None:
            return [found | {"unit": unit}]
        events = []
        end = remote.do_task(task, events.append)
        return [*events, end]


@pytest.fixture
def play(monkeypatch):
    """Return what runs a design on a played cluster; its `cluster` and `events` are kept."""

    def run(out, *plays, design=None, **more):
        run.cluster, run.events = Played(plays), []
        monkeypatch.setattr(ray, "ray_cluster", lambda *_: contextlib.nullcontext(run.cluster))
        asked = toy.request(out, executor="ray", **more)
        return toy.run(design or toy.small_design(), asked, on_event=run.events.append)

    return run


LOST = {"event": "lost", "message": "its worker process died"}


def log(task):
    return Path(task["out"]) / "work" / f"{task['unit']['runs'][0]['hash']}.log"


def one(**more):
    return toy.design([toy.arm("a", toy.Draw(**more))])


def test_a_cluster_gives_the_same_bits_as_this_process(tmp_path, toy_finished, play, capfd):
    play(tmp_path)
    assert columns_of(tmp_path) == columns_of(toy_finished)
    assert leftovers(tmp_path) == []
    assert not list((tmp_path / "work").glob("cluster-*"))
    names = {name for _, name, _ in play.events[0]["units"]}
    assert {event["unit"] for event in play.events if event["event"] == "done"} == names
    assert {event["unit"] for event in play.events if event["event"] == "progress"} <= names
    assert play.cluster.most <= play.cluster.slots * 3 // 2 + 1
    assert capfd.readouterr() == ("", "")


def test_inputs_are_finished_before_what_reads_them_is_handed_over(tmp_path, play):
    play(tmp_path)
    kinds = [task["unit"]["runs"][0]["procedure"]["kind"] for task in play.cluster.tasks]
    assert kinds == ["draw", "draw", *["sum"] * (len(kinds) - 2)]
    assert len(kinds) > 2


def test_the_unit_of_a_lost_worker_is_done_again_and_what_it_left_is_cleared(tmp_path, play):
    def half(task):
        name = task["unit"]["runs"][0]["hash"]
        (tmp_path / "records" / f".{name}.0f.tmp").mkdir()
        (tmp_path / "records" / f".{name}.0f.tmp" / "spec.json").write_text("{")

    play(tmp_path, LOST, half, design=one())
    told = [event["text"] for event in play.events if event["event"] == "told"]
    assert told == ["a, seeds 0–2: its worker process died; it is done again."]
    assert [event["event"] for event in play.events].count("done") == 1
    assert leftovers(tmp_path) == []
    assert not list((tmp_path / "records").glob(".*"))


def test_a_unit_whose_workers_are_lost_again_and_again_ends_the_study_with_its_last_words(tmp_path, play):
    def say(task):
        log(task).write_text("a library warns\nno room left\n")
        return LOST

    with pytest.raises(UserError) as caught:
        play(tmp_path, *[LOST] * LOSSES, say, design=one())
    kept = log(play.cluster.tasks[0])
    assert str(caught.value) == (
        "its worker process died, 4 times, doing a, seeds 0–2 (no room left); ask again to go on from the last checkpoint. "
        f"Its log is {kept}."
    )
    with pytest.raises(
        UserError, match=r"doing a, seeds 0–2; ask again"
    ):  # what an earlier one said is not its reason
        play(tmp_path, *[LOST] * (LOSSES + 1), design=one())
    held = try_lock(kept.with_suffix(".lock"))
    assert held is not None
    held.close()
    play(tmp_path, design=one())
    assert leftovers(tmp_path) == []


def test_what_a_person_can_mend_is_said_as_it_is_and_what_is_finished_stays(tmp_path, play, monkeypatch):
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv(toy.TROUBLE, str(tmp_path / "marks"))
    arms = [toy.arm("good", toy.Draw(count=48)), toy.arm("bad", toy.Draw(trouble="refuse"))]
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"^this cannot be drawn; take another mean\.$"):
        play(out, design=toy.design(arms))
    assert len(list((out / "records").glob("*/manifest.json"))) == 3
    play(out, design=toy.design(arms))
    assert len(play.cluster.tasks) == 1
    assert leftovers(out) == []


def test_a_fault_leaves_its_traceback_in_the_log_of_the_unit(tmp_path, play):
    crash = {"event": "crashed", "text": "Traceback ...\nRuntimeError: a fault of the library"}
    with pytest.raises(UserError) as caught:
        play(tmp_path, crash, design=one())
    (log,) = tmp_path.glob("work/*.log")
    assert str(caught.value) == (
        "a fault ended a, seeds 0–2 (RuntimeError: a fault of the library); ask again to go on from the last checkpoint. "
        f"Its log is {log}."
    )
    assert log.read_text() == crash["text"] + "\n"
    play(tmp_path, design=one())
    assert leftovers(tmp_path) == []


def other(name, value):
    return lambda task: task.update({name: value})


def test_a_node_that_sees_another_folder_is_refused(tmp_path, play):
    (tmp_path / "else" / "work").mkdir(parents=True)
    with pytest.raises(
        UserError, match=r"else on .+ is not the folder of this study; give an --out folder that all nodes"
    ):
        play(tmp_path / "out", other("out", str(tmp_path / "else")), design=one())
    assert not list((tmp_path / "else" / "work").iterdir())


def test_a_node_with_other_code_or_software_is_refused(tmp_path, play, monkeypatch):
    with pytest.raises(
        UserError, match=r"gradlab on .+ is not the one that this study was asked with; install the same one"
    ):
        play(tmp_path, other("code", "0"), design=one())
    monkeypatch.setattr(remote, "software_of", lambda *_: {"numpy": "1.0"})
    with pytest.raises(
        UserError, match=r"has numpy 1\.0, and this study was asked for with 2\..+ install the same version"
    ):
        play(tmp_path, design=one())


def test_a_finished_unit_whose_record_is_not_here_is_said(tmp_path, play, monkeypatch):
    monkeypatch.setattr("gradlab.lab.running.cluster.PATIENCE", 0.0)
    with pytest.raises(
        UserError, match=r"has finished, but its record is not in .* that all nodes of the cluster share"
    ):
        play(tmp_path, {"event": "done"}, design=one())


def test_when_the_cluster_has_gone_its_units_are_free_for_others(tmp_path, play):
    def gone(_task):
        raise UserError("the Ray cluster has gone")

    with pytest.raises(UserError, match="has gone"):
        play(tmp_path, gone)
    assert not list((tmp_path / "work").glob("cluster-*"))
    play(tmp_path)
    assert leftovers(tmp_path) == []


def test_what_libraries_print_goes_to_the_log_of_the_unit_and_with_it(tmp_path, play, monkeypatch, capfd):
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv(toy.TROUBLE, str(tmp_path / "marks"))
    play(tmp_path / "out", design=one(trouble="warn"))
    assert capfd.readouterr() == ("", "")
    assert leftovers(tmp_path / "out") == []


def test_relative_places_are_whole_ones_for_other_processes(tmp_path, play, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    play("runs", design=one(), places={"own": "mine", "other": "digits"}, data_dir="data")
    (task,) = play.cluster.tasks
    assert task["out"] == str(tmp_path / "runs")
    assert task["data_dir"] == str(tmp_path / "data")
    assert task["places"] == {"own": str(tmp_path / "mine"), "other": "digits"}


def test_a_unit_needs_the_threads_of_its_spec_and_a_gpu_where_it_names_one():
    class Bound:
        spec = {"threads": 3, "device": "cuda"}  # noqa: RUF012

    needs = needs_of(Unit((Bound(),), "a", 1.0))
    assert (needs.cpus, needs.gpus) == (3, 1)
    assert _room({"CPU": 16.0, "GPU": 4.0}, needs) == 4
    assert _room({"CPU": 7.0, "GPU": 4.0}, needs) == 2
    assert _room({"CPU": 16.0}, needs) == 0


def test_a_cluster_has_gpus_of_which_this_machine_need_not_know():
    assert device_kind("cuda", "ray") == "cuda"
    with pytest.raises(
        UserError, match="Ray gives every unit a GPU of its own; write --device cuda instead of cuda:1"
    ):
        device_kind("cuda:1", "ray")
