import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import gradlab
from gradlab.lab import Design, load
from gradlab.lab.running import trackers
from gradlab.lab.running.trackers import TRACKERS, open_trackers, row_values
from gradlab.types import UserError
from tests.lab import toy
from tests.lab.running.wandb_file import read_runs

UNIT = "3fa9c1d2b4e5f6a7b8c9"
NAMES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate")


@pytest.fixture
def design() -> Design:
    return toy.design((toy.arm("plain-2", toy.Draw(count=4)),), study="tiny")


def row_of(seed: int, epoch: int) -> dict[str, Any]:
    """Return metrics that differ in every seed, epoch and name, and that no short decimal can hold."""
    return {"epoch": epoch} | {name: (1 + k + 10 * seed) / (7 * epoch) for k, name in enumerate(NAMES)}


def epoch_event(
    epoch: int, *, arm: str = "plain-2", unit: str = UNIT, seeds: tuple[int | None, ...] = (0, 1)
) -> dict[str, Any]:
    rows = [
        [seed, epoch, {k: v for k, v in row_of(seed or 0, epoch).items() if k != "epoch"}] for seed in seeds
    ]
    told = {"event": "progress", "label": arm, "unit": unit, "share": epoch / 9, "given": 0.0, "text": "t"}
    return told | {"rows": rows}


def start_event(arm: str = "plain-2") -> dict[str, Any]:
    return {"event": "start", "units": [(arm, UNIT, 1.0)]}


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    """Read a run's folder with TensorBoard's own reader: tag -> step -> value; no step may come twice."""
    reader = EventAccumulator(str(folder)).Reload()
    found = {}
    for tag in reader.Tags()["scalars"]:
        events = reader.Scalars(tag)
        found[tag] = {event.step: event.value for event in events}
        assert len(found[tag]) == len(events)
    return found


def expected(seed: int, epochs: range, kind: Callable[[float], Any] = float) -> dict[str, dict[int, Any]]:
    return {name: {epoch: kind(row_of(seed, epoch)[name]) for epoch in epochs} for name in NAMES}


def break_after_an_epoch(out: Path, design: Design, names: tuple[str, ...], error: BaseException) -> None:
    with open_trackers(names, out, design) as track:
        track(epoch_event(1, seeds=(0,)))
        raise error


# --- what trackers are handed ---


class Recorder:
    def __init__(self) -> None:
        self.logged: list[tuple[str, int, dict[str, float]]] = []
        self.closed = 0

    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        self.logged.append((run, step, dict(values)))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setitem(TRACKERS, "tensorboard", lambda _folder, _study: made)
    return made


def test_without_names_nothing_is_opened_or_written(tmp_path: Path, design: Design) -> None:
    with open_trackers((), tmp_path, design) as track:
        track(start_event())
        track(epoch_event(1))
        track({"event": "done", "label": "plain-2", "unit": UNIT})
    assert not list(tmp_path.iterdir())


def test_every_seed_of_an_epoch_is_logged_under_its_run(
    tmp_path: Path, design: Design, recorder: Recorder
) -> None:
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        track(start_event())
        track(epoch_event(3, seeds=(0, 7)))
        track({"event": "done", "label": "plain-2", "unit": UNIT})
    values = [{name: row_of(seed, 3)[name] for name in NAMES} for seed in (0, 7)]
    assert recorder.logged == [
        ("plain-2/seed-0-3fa9c1d2", 3, values[0]),
        ("plain-2/seed-7-3fa9c1d2", 3, values[1]),
    ]


def test_what_is_not_finite_is_left_out() -> None:
    event = epoch_event(1)
    event["rows"][0][2] |= {"train_loss": math.nan, "validation_loss": None, "learning_rate": math.inf}
    event["rows"][1][2] = {"train_loss": math.nan}
    ((run, _, values),) = row_values(event)
    assert run == "plain-2/seed-0-3fa9c1d2"
    assert set(values) == {"train_accuracy", "validation_accuracy"}


def test_a_name_that_is_a_path_stays_in_its_folder() -> None:
    runs = [run for run, _, _ in row_values(epoch_event(1, arm="../my net: 2", seeds=(0,)))]
    assert runs == ["-my-net-2/seed-0-3fa9c1d2"]


def test_trackers_close_once_also_after_an_error(tmp_path: Path, design: Design, recorder: Recorder) -> None:
    with pytest.raises(KeyboardInterrupt):
        break_after_an_epoch(tmp_path, design, ("tensorboard", "tensorboard"), KeyboardInterrupt())
    assert len(recorder.logged) == recorder.closed == 1


def test_a_tracker_opens_only_when_there_is_something_to_run(
    tmp_path: Path, design: Design, recorder: Recorder
) -> None:
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        track({"event": "start", "units": []})
        track({"event": "done", "label": "plain-2", "unit": UNIT})
    assert recorder.closed == 0


# --- bad input ---


def test_an_unknown_tracker_gets_the_nearest_name(tmp_path: Path, design: Design) -> None:
    with pytest.raises(UserError, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"):
        open_trackers(("tensorbord",), tmp_path, design).__enter__()


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("found", [None, ModuleSpec("wandb", None)], ids=["nothing", "a folder of that name"])
def test_an_absent_package_is_one_sentence_that_names_the_extra(
    name: str, found: ModuleSpec | None, tmp_path: Path, design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda _name: found)
    with pytest.raises(UserError) as caught:
        open_trackers((name,), tmp_path, design).__enter__()
    assert (
        str(caught.value)
        == f"tracker '{name}' needs a package that is not installed: pip install 'gradlab[{name}]'"
    )
    assert not list(tmp_path.iterdir())


def test_a_study_asks_for_the_package_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match=r"gradlab\[wandb\]"):
        gradlab.run("residual-mlp", depths=(2,), epochs=1, seeds=1, out=tmp_path / "out", tracker="wandb")
    assert not (tmp_path / "out").exists()


def test_each_tracker_is_an_extra_of_that_name() -> None:
    from importlib.metadata import metadata

    assert len(TRACKERS) == 2
    assert set(TRACKERS) <= set(metadata("gradlab").get_all("Provides-Extra") or [])


# --- TensorBoard ---


def test_tensorboard_shows_each_epoch_as_soon_as_it_is_over(tmp_path: Path, design: Design) -> None:
    folder = tmp_path / "trackers" / "tensorboard" / "tiny" / "plain-2" / "seed-1-3fa9c1d2"
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        for epoch in (1, 2, 3):
            track(epoch_event(epoch))
            assert scalars(folder) == expected(1, range(1, epoch + 1), lambda value: float(np.float32(value)))


def test_tensorboard_keeps_twenty_runs_apart(tmp_path: Path, design: Design) -> None:
    arms = [f"plain-{depth}" for depth in range(5)]
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        for epoch in (1, 2):
            for arm in arms:
                track(epoch_event(epoch, arm=arm, seeds=(0, 1, 2, 3)))
    folders = sorted((tmp_path / "trackers" / "tensorboard" / "tiny").glob("*/seed-*"))
    assert len(folders) == 20
    for folder in folders:
        seed = int(folder.name.split("-")[1])
        assert scalars(folder) == expected(seed, range(1, 3), lambda value: float(np.float32(value)))


def test_tensorboard_reads_one_curve_after_a_kill(tmp_path: Path, design: Design) -> None:
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        for epoch in range(1, 8):
            track(epoch_event(epoch, seeds=(0,)))
    folder = tmp_path / "trackers" / "tensorboard" / "tiny" / "plain-2" / "seed-0-3fa9c1d2"
    (first,) = folder.iterdir()
    first.write_bytes(first.read_bytes()[:-20])  # killed in the midst of writing epoch 7
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        for epoch in range(5, 10):  # the last checkpoint was after epoch 4
            track(epoch_event(epoch, seeds=(0,)))
    assert len(list(folder.iterdir())) == 2
    assert scalars(folder) == expected(0, range(1, 10), lambda value: float(np.float32(value)))


def test_tensorboard_drops_what_a_run_left_beyond_the_new_start(tmp_path: Path, design: Design) -> None:
    for epochs in (range(1, 9), range(1, 4)):  # begun again without a checkpoint, and so far only at epoch 3
        with open_trackers(("tensorboard",), tmp_path, design) as track:
            for epoch in epochs:
                track(epoch_event(epoch, seeds=(0,)))
    folder = tmp_path / "trackers" / "tensorboard" / "tiny" / "plain-2" / "seed-0-3fa9c1d2"
    assert sorted(scalars(folder)["train_loss"]) == [1, 2, 3]


def test_the_same_arm_on_other_data_is_another_run(tmp_path: Path, design: Design) -> None:
    with open_trackers(("tensorboard",), tmp_path, design) as track:
        track(epoch_event(1, seeds=(0,)))
        track(epoch_event(1, seeds=(0,), unit="0" * 20))
    folders = (tmp_path / "trackers" / "tensorboard" / "tiny" / "plain-2").iterdir()
    assert {folder.name for folder in folders} == {"seed-0-3fa9c1d2", "seed-0-00000000"}


def test_tensorboard_needs_no_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from gradlab.lab.running.trackers import tensorboard
tracker = tensorboard(Path({str(tmp_path)!r}), "tiny")
tracker.log("plain-2/seed-0-3fa9c1d2", 1, {{"train_loss": 0.5}})
tracker.close()
print("torch" in sys.modules, "tensorflow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert scalars(tmp_path / "tensorboard" / "tiny" / "plain-2" / "seed-0-3fa9c1d2") == {
        "train_loss": {1: 0.5}
    }


# --- W&B ---


@pytest.fixture
def no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a machine without W&B's settings, key or network."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "home" / "netrc"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # a port that nobody serves


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[Any]]:
    """Collect the service processes that W&B starts."""
    started: list[subprocess.Popen[Any]] = []

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, command: Any, *args: Any, **options: Any) -> None:
            super().__init__(command, *args, **options)
            if "wandb-core" in str(command):
                started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return started


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


@pytest.mark.slow
@pytest.mark.usefixtures("no_account")
def test_wandb_holds_the_exact_values_live_and_after_the_end(
    tmp_path: Path, design: Design, services: list[subprocess.Popen[Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    environment = dict(os.environ)
    with open_trackers(("wandb",), tmp_path, design) as track:
        track(start_event())
        for epoch in (1, 2, 3):
            track(epoch_event(epoch))
        assert wait_until(lambda: [len(run["rows"]) for run in read_runs(tmp_path)] == [3, 3])
        assert [run["exit"] for run in read_runs(tmp_path)] == [None, None]
        track(epoch_event(4))
    assert os.environ == environment
    assert not any(capfd.readouterr())
    for seed, run in enumerate(read_runs(tmp_path)):
        assert run["rows"] == {
            epoch: {name: row_of(seed, epoch)[name] for name in NAMES} for epoch in range(1, 5)
        }
        assert (run["project"], run["group"], run["job_type"]) == ("gradlab", "tiny", "plain-2")
        assert (run["name"], run["exit"], run["host"]) == (f"plain-2/seed-{seed}-3fa9c1d2", 0, "")
        assert {"study": "tiny", "arm": "plain-2", "seed": seed}.items() <= run["config"].items()
    (service,) = services
    assert "--no-observability" in service.args  # type: ignore[operator]
    assert wait_until(lambda: service.poll() is not None)


@pytest.mark.usefixtures("no_account")
def test_wandb_ends_its_runs_and_service_after_an_error(
    tmp_path: Path, design: Design, services: list[subprocess.Popen[Any]]
) -> None:
    with pytest.raises(RuntimeError):
        break_after_an_epoch(tmp_path, design, ("wandb",), RuntimeError())
    assert [run["exit"] for run in read_runs(tmp_path)] == [0]
    assert wait_until(lambda: services[0].poll() is not None)


@pytest.mark.slow
@pytest.mark.usefixtures("no_account")
def test_wandb_leaves_a_users_own_run_alone(tmp_path: Path, design: Design) -> None:
    (tmp_path / "wandb").mkdir()
    own = wandb.init(
        project="own", dir=str(tmp_path), mode="offline", settings=wandb.Settings(silent=True, host="")
    )
    try:
        with open_trackers(("wandb",), tmp_path, design) as track:
            track(epoch_event(1, seeds=(0,)))
        own.log({"loss": 1.0})
        own.finish()
    finally:
        wandb.teardown()
    (run,) = read_runs(tmp_path)
    assert run["rows"] == {1: {name: row_of(0, 1)[name] for name in NAMES}}


@pytest.mark.usefixtures("no_account")
def test_a_killed_study_goes_on_in_a_second_wandb_run_of_that_name(tmp_path: Path, design: Design) -> None:
    for epochs in ((1, 2), (2, 3)):
        with open_trackers(("wandb",), tmp_path, design) as track:
            for epoch in epochs:
                track(epoch_event(epoch, seeds=(0,)))
    runs = read_runs(tmp_path)
    assert len({run["name"] for run in runs}) == 1
    assert sorted(sorted(run["rows"]) for run in runs) == [[1, 2], [2, 3]]


@pytest.mark.usefixtures("no_account")
@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("online", "no key is known here: run `wandb login`, or unset WANDB_MODE"),
        ("onlin", "W&B refuses its mode: "),
    ],
)
def test_what_wandb_refuses_is_warned_of_once_and_the_study_goes_on(
    tmp_path: Path,
    design: Design,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mode: str,
    text: str,
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    with open_trackers(("wandb",), tmp_path, design) as track:
        for epoch in (1, 2, 3):
            track(epoch_event(epoch, seeds=(0,)))
    (record,) = [one for one in caplog.records if one.name.startswith("gradlab")]
    assert text in record.getMessage()
    assert "is left out from here on; the study goes on" in record.getMessage()


@pytest.mark.parametrize("where", ["open", "log", "close"])
def test_an_error_of_a_tracker_is_warned_of_once_and_leaves_the_others_alone(
    tmp_path: Path,
    design: Design,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
) -> None:
    class Broken(Recorder):
        def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
            super().log(run, step, values)
            if where == "log":
                raise OSError("no space left")

        def close(self) -> None:
            raise RuntimeError("no way back")

    def make(_folder: Path, _study: str) -> Broken:
        if where == "open":
            raise ValueError("no such thing")
        return Broken()

    monkeypatch.setitem(TRACKERS, "wandb", make)
    result = toy.run(design, toy.here(tmp_path / "plain", (0,)))
    with open_trackers(("wandb", "tensorboard"), tmp_path / "out", design) as track:
        tracked = toy.run(design, toy.here(tmp_path / "out", (0,)), on_event=track)
    assert tracked["runs"] == result["runs"] or [one["record"] for one in tracked["runs"]] == [
        one["record"] for one in result["runs"]
    ]
    assert len(recorder.logged) == 3 * 4  # seeds of the block, parts
    assert recorder.closed == 1
    assert len([one for one in caplog.records if "tracker 'wandb' failed" in one.getMessage()]) == 1


# --- through the lab ---


@pytest.mark.usefixtures("no_account")
def test_trackers_hold_what_the_records_hold(tmp_path: Path, design: Design) -> None:
    with open_trackers(tuple(TRACKERS), tmp_path, design) as track:
        toy.run(design, toy.here(tmp_path, (0,)), on_event=track)
    records = {record.spec["seed"]: record for record in map(load, (tmp_path / "records").iterdir())}
    tracked = read_runs(tmp_path)
    assert len(records) == len(tracked) == 3
    for run in tracked:
        record = records[run["config"]["seed"]]
        curve = record.table("curve")["value"].tolist()
        assert run["rows"] == {step: {"mean": value} for step, value in enumerate(curve, 1)}
        assert run["name"] == f"plain-2/seed-{record.spec['seed']}-{records[0].hash[:8]}"
        found = scalars(tmp_path / "trackers" / "tensorboard" / "tiny" / run["name"])
        assert found == {"mean": {step: float(np.float32(value)) for step, value in enumerate(curve, 1)}}
