import math

import pytest
from gradlab.lab.progress import Clock, clock_text, describe_epoch, study_progress
from rich.console import Console

from gradlab.lab import progress


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def start(*blocks):
    return {"event": "start", "blocks": [(name, name, weight) for name, weight in blocks]}


def epoch(block, number, epochs=10, **metrics):
    row = {"train_loss": 1.0, "validation_loss": 2.0, "validation_accuracy": 0.5} | metrics
    told = {"epoch": number, "epochs": epochs, "metrics": [row, row], "images_per_second": 1234.0}
    return {"event": "epoch", "block": block, "arm": block, **told}


def done(block):
    return {"event": "done", "block": block, "arm": block}


def test_the_share_done_is_weighted_by_the_work():
    clock = Clock(Time())
    clock.hear(start(("a", 3.0), ("b", 1.0)))
    assert clock.done == 0
    clock.hear(epoch("a", 5))
    assert clock.done == pytest.approx(0.5 * 3 / 4)
    clock.hear(done("b"))
    assert clock.done == pytest.approx((1.5 + 1) / 4)
    assert clock.finished == {"b"}
    clock.hear(epoch("a", 10))
    assert clock.done == 1
    assert clock.finished == {"b"}  # its record is not written yet


def test_the_time_left_follows_from_the_rate():
    time = Time()
    clock = Clock(time)
    clock.hear(start(("a", 1.0)))
    assert clock.seconds_left is None
    for number in (1, 2, 3):
        time.now += 10
        clock.hear(epoch("a", number))
    assert clock.seconds_left == pytest.approx(70)


def test_what_was_there_already_tells_nothing_about_the_rate():
    time = Time()
    clock = Clock(time)
    clock.hear(start(("a", 1.0), ("b", 1.0)))
    clock.hear(done("a"))  # by another process, at once
    time.now += 10
    clock.hear(epoch("b", 6))  # five of ten epochs were in the checkpoint
    assert clock.done == pytest.approx(0.8)
    assert clock.seconds_left == pytest.approx(10 / 0.1 * 0.4)


def test_nothing_to_do_is_done():
    clock = Clock(Time())
    clock.hear(start())
    assert clock.done == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (5.4, "0:05 left"), (125.0, "2:05 left"), (3600, "60:00 left")]
)
def test_times_are_said_in_minutes(seconds, text):
    assert clock_text(seconds) == text


def test_an_epoch_is_one_line_with_means_over_its_seeds():
    event = epoch("a", 3)
    event["metrics"] = [
        {"train_loss": 1.0, "validation_loss": 0.5},
        {"train_loss": 2.0, "validation_loss": None},
    ]
    assert describe_epoch(event) == "3/10 epochs · loss 1.500 · val loss 0.500 · 1,234 images/s"


def test_a_diverged_seed_does_not_break_the_line():
    assert "loss nan" in describe_epoch(epoch("a", 1, train_loss=math.nan))


def test_without_a_terminal_an_arm_is_a_line_on_stderr(capsys):
    with study_progress(None) as show:
        show(start(("a", 1.0), ("b", 1.0)))
        for event in (epoch("a", 10), done("a"), epoch("b", 5), done("b")):
            show(event)
    found = capsys.readouterr()
    assert found.out == ""
    lines = found.err.splitlines()
    assert lines[0] == "2 training(s) to do"
    assert [line.split(" done")[0] for line in lines[1:]] == ["[1/2] a", "[2/2] b"]


def test_nothing_to_train_says_nothing(capsys):
    with study_progress(None) as show:
        show(start())
    assert capsys.readouterr().err == ""


def test_no_progress_is_silent(capsys):
    with study_progress(False) as show:
        show(start(("a", 1.0)))
        show(done("a"))
    assert capsys.readouterr().err == ""


def test_on_a_terminal_every_arm_at_work_has_a_bar(monkeypatch, tmp_path):
    with (tmp_path / "screen").open("w") as screen:
        console = Console(file=screen, force_terminal=True, width=120)
        monkeypatch.setattr(progress, "Console", lambda **_: console)
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        with study_progress(True) as show:
            show(start(("a[/b]", 1.0), ("c", 1.0)))
            show(epoch("a[/b]", 1))
            show(done("a[/b]"))
            show(epoch("c", 10))
            show(done("c"))
            assert show.clock.done == 1
            assert not show.tasks
