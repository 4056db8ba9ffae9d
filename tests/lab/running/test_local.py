"""Worker processes: what they do, what they refuse, and how they die."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gradlab.lab import Pick, load
from gradlab.lab.running.local import ENVIRONMENT, usable_cores
from gradlab.lab.running.locks import try_lock
from gradlab.lab.running.worker import disk_message
from gradlab.types import UserError
from tests.kills import children_of, columns_of, leftovers
from tests.lab import toy
from tests.pages import ROOT


def run(out, *procedures, seeds=(0,), **more):
    """Run procedures in worker processes; returns the events."""
    events = []
    hear = more.pop("on_event", lambda _event: None)

    def on_event(event):
        events.append(event)
        hear(event)

    arms = [toy.arm(f"arm {number}", one) for number, one in enumerate(procedures)]
    toy.run(toy.design(arms), toy.request(out, seeds, **more), on_event=on_event)
    return events


def test_workers_give_the_same_bits_as_this_process(tmp_path, toy_finished):
    events = []
    toy.run(toy.small_design(), toy.request(tmp_path, workers=2), on_event=events.append)
    assert columns_of(tmp_path) == columns_of(toy_finished)
    assert leftovers(tmp_path) == []
    assert [event["event"] for event in events[:2]] == ["start", "status"]
    assert events[1]["text"] == "starting 2 workers"
    names = {name for _, name, _ in events[0]["units"]}
    assert {event["unit"] for event in events if event["event"] == "done"} == names
    rows = [event for event in events if event["event"] == "progress"]
    for name in {event["unit"] for event in rows}:
        shares = [event["share"] for event in rows if event["unit"] == name]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


@pytest.mark.slow
def test_two_parents_share_the_units(tmp_path, toy_finished):
    heard: list[list[dict]] = [[], []]
    threads = [
        threading.Thread(
            target=lambda own=own: toy.run(
                toy.small_design(0.01), toy.request(tmp_path, workers=1), on_event=own.append
            )
        )
        for own in heard
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    worked = [{event["unit"] for event in events if event["event"] == "progress"} for events in heard]
    assert worked[0].isdisjoint(worked[1])
    assert leftovers(tmp_path) == []
    del toy_finished


def test_inputs_of_inputs_a_shared_record_and_a_choice_below_another_procedure(tmp_path):
    near, far = toy.Draw(mean=0.1), toy.Draw(mean=3.0)
    pick = Pick(among=(far, near), by="distance")
    deep = toy.Sum(of=(toy.Sum(of=(pick,), factor=2.0), near))
    starts = [event for event in run(tmp_path, deep, near, far, pick) if event["event"] == "start"]
    assert [len(event["units"]) for event in starts] == [2, 2]  # the draws, then both sums
    records = {load(folder).spec["procedure"]["kind"] for folder in (tmp_path / "records").iterdir()}
    assert records == {"draw", "sum"}
    found = toy.run(toy.design([toy.arm("deep", deep), toy.arm("near", near)]), toy.request(tmp_path, (0,)))
    values = {
        run["arm"]: load(tmp_path / "records" / run["record"]).table("numbers")["x"] for run in found["runs"]
    }
    assert values["deep"] == pytest.approx(3 * values["near"])


def test_a_choice_by_a_test_measure_is_refused_before_anything_runs(tmp_path):
    pick = Pick(among=(toy.Draw(), toy.Draw(mean=2.0)), by="hit rate")
    with pytest.raises(
        UserError, match=r"a Pick chooses by a measure on validation data \(distance\), got 'hit rate'"
    ):
        run(tmp_path, toy.Sum(of=(pick,)))
    assert list((tmp_path / "records").iterdir()) == []


TROUBLES = {
    "refuse": r"^this cannot be drawn; take another mean\.$",
    "kill": r"^a worker process died; ask again to go on from the last checkpoint\.$",
}
SLOW_TROUBLES = {
    "memory": r"^the memory does not suffice; take smaller batches",
    "disk": r"^the disk is full; free some space or choose another --out, then ask again: finished runs are kept",
    "crash": r"^a worker process died \(RuntimeError: a fault of the library\); ask again .* Its log is .*\.log\.$",
    "log-bytes": r"^a worker process died \(.* not UTF-8 .*\); ask again to go on from the last checkpoint\. Its log is ",
    "log-gone": r"^a worker process died; ask again to go on from the last checkpoint\.$",
}


def test_a_warning_of_a_worker_that_ended_well_leaves_no_log(tmp_path, monkeypatch):
    monkeypatch.setenv(toy.TROUBLE, str(tmp_path))
    run(tmp_path / "out", toy.Draw(trouble="warn"), workers=1)
    assert leftovers(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("trouble", "text"),
    [*TROUBLES.items(), *(pytest.param(*one, marks=pytest.mark.slow) for one in SLOW_TROUBLES.items())],
)
def test_whatever_goes_wrong_in_a_worker_is_one_sentence_and_asking_again_finishes(
    tmp_path, monkeypatch, trouble, text
):
    (tmp_path / "marks").mkdir()
    monkeypatch.setenv(toy.TROUBLE, str(tmp_path / "marks"))
    before = threading.active_count()
    with pytest.raises(UserError, match=text) as caught:
        run(tmp_path / "out", toy.Draw(trouble=trouble), workers=1)
    assert "\n" not in str(caught.value)
    assert threading.active_count() == before
    assert children_of(os.getpid()) == []
    run(tmp_path / "out", toy.Draw(trouble=trouble), workers=1)
    assert leftovers(tmp_path / "out") == []
    whole = run(tmp_path / "whole", toy.Draw(trouble=trouble), memory={"made": "made"})
    del whole
    assert columns_of(tmp_path / "out") == columns_of(tmp_path / "whole")


def test_a_worker_that_dies_with_nothing_to_do_does_not_leave_the_rest_waiting_for_ever(tmp_path):
    arms = [toy.arm("a", toy.Draw(mean=1.0)), toy.arm("b", toy.Draw(mean=2.0))]
    starts = []
    with pytest.raises(KeyboardInterrupt):
        toy.run(toy.design(arms), toy.request(tmp_path, (0,)), on_event=lambda event: _stop(event, starts))
    held = try_lock(tmp_path / "work" / f"{starts[0]}.lock")
    assert held is not None

    def kill(event):
        if event["event"] == "done":
            for worker in children_of(os.getpid()):
                os.kill(worker, signal.SIGKILL)
            threading.Timer(1.0, held.close).start()

    with pytest.raises(UserError, match="a worker process died"):
        toy.run(toy.design(arms), toy.request(tmp_path, (0,), workers=1), on_event=kill)


def _stop(event, starts):
    starts += [name for _, name, _ in event["units"]]
    raise KeyboardInterrupt


def test_a_unit_that_another_process_holds_is_waited_for(tmp_path):
    starts = []
    made = toy.design([toy.arm("a", toy.Draw())])
    with pytest.raises(KeyboardInterrupt):
        toy.run(made, toy.request(tmp_path, (0,)), on_event=lambda event: _stop(event, starts))
    for asked in (toy.request(tmp_path, (0,)), toy.here(tmp_path, (0,))):
        held = try_lock(tmp_path / "work" / f"{starts[0]}.lock")
        assert held is not None
        thread = threading.Thread(target=toy.run, args=(made, asked))
        thread.start()
        time.sleep(0.7)
        assert thread.is_alive()
        assert list((tmp_path / "records").iterdir()) == []
        held.close()
        thread.join(timeout=30)
        assert not thread.is_alive()
        for folder in (tmp_path / "records").iterdir():
            assert load(folder).damaged() == []
            (folder / "manifest.json").unlink()
        import shutil

        shutil.rmtree(tmp_path / "records")
        (tmp_path / "records").mkdir()


def test_a_worker_whose_parent_has_gone_ends_by_itself():
    for module in ("tests.lab.toys", "gradlab.procedures.worker"):
        worker = subprocess.Popen(
            [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert worker.stdin is not None
        worker.stdin.close()
        assert worker.wait(timeout=60) == 0
        assert worker.stdout is not None
        assert worker.stdout.read() == b""
        worker.stdout.close()


def test_errors_of_the_system_say_what_to_do():
    for number in (errno.ENOSPC, errno.EDQUOT):
        assert disk_message(OSError(number, "x")).startswith(
            "the disk is full; free some space or choose another"
        )
    text = disk_message(PermissionError(errno.EACCES, "Permission denied", "/x/y"))
    assert text == "Permission denied: /x/y; fix it, then ask again: finished runs are kept."
    assert disk_message(io.UnsupportedOperation("odd")).startswith("odd; fix it")


def test_cores_are_those_that_this_process_may_use():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    assert ENVIRONMENT["OMP_NUM_THREADS"] == "1"


@pytest.mark.slow
def test_a_unit_whose_record_is_there_is_dropped_and_its_leftovers_are_cleared(tmp_path):
    name = next(event["unit"] for event in run(tmp_path, toy.Draw()) if event["event"] == "done")
    folder = tmp_path / "records" / name
    (folder / "manifest.json").unlink()
    left = tmp_path / "records" / f".{name}.0f.tmp"
    left.mkdir()
    (tmp_path / "work" / f".{name}.safetensors.x.part").write_text("half")
    run(tmp_path, toy.Draw())
    assert json.loads((folder / "manifest.json").read_text())
    assert leftovers(tmp_path) == []
    assert not list(Path(tmp_path / "work").glob("*.part"))


def test_what_a_kill_after_the_last_record_left_is_cleared_when_asked_again(tmp_path):
    name = next(event["unit"] for event in run(tmp_path, toy.Draw()) if event["event"] == "done")
    parts = tmp_path / "work" / f"{name}.parts"
    parts.mkdir()
    (parts / "0.safetensors").write_bytes(b"a part")
    (tmp_path / "work" / f"{name}.safetensors").write_bytes(b"a checkpoint")
    run(tmp_path, toy.Draw())
    assert leftovers(tmp_path) == []
    assert not parts.exists()
