import pytest
from rich.console import Console

from gradlab.lab.running import progress
from gradlab.lab.running.progress import Clock, clock_text, study_progress


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def start(*units):
    return {"event": "start", "units": [(name, name, weight) for name, weight in units]}


def told(unit, share, given=0.0, text="at work"):
    return {
        "event": "progress",
        "unit": unit,
        "label": unit,
        "share": share,
        "given": given,
        "text": text,
        "rows": [],
    }


def done(unit):
    return {"event": "done", "unit": unit, "label": unit}


def test_the_share_done_is_weighted_by_the_work():
    clock = Clock(Time())
    clock.hear(start(("a", 3.0), ("b", 1.0)))
    assert clock.done == 0
    clock.hear(told("a", 0.5))
    assert clock.done == pytest.approx(0.5 * 3 / 4)
    clock.hear(done("b"))
    assert clock.done == pytest.approx((1.5 + 1) / 4)
    assert clock.finished == {"b"}
    clock.hear(told("a", 1.0))
    assert clock.done == 1
    assert clock.finished == {"b"}  # its record is not written yet


def test_the_time_left_follows_from_the_rate():
    time = Time()
    clock = Clock(time)
    clock.hear(start(("a", 1.0)))
    assert clock.seconds_left is None
    for number in (1, 2, 3):
        time.now += 10
        clock.hear(told("a", number / 10))
    assert clock.seconds_left == pytest.approx(70)


def test_what_was_there_already_tells_nothing_about_the_rate():
    time = Time()
    clock = Clock(time)
    clock.hear(start(("a", 1.0), ("b", 1.0)))
    clock.hear(done("a"))  # by another process, at once
    time.now += 10
    clock.hear(told("b", 0.6, given=0.5))  # half was in the checkpoint
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


def test_without_a_terminal_an_arm_is_a_line_on_stderr(capsys):
    with study_progress(None) as show:
        show(start(("a", 1.0), ("b", 1.0)))
        for event in (told("a", 1.0), done("a"), told("b", 0.5), done("b")):
            show(event)
    found = capsys.readouterr()
    assert found.out == ""
    lines = found.err.splitlines()
    assert lines[0] == "2 runs to do"
    assert [line.split(":")[0] for line in lines[1:]] == ["[1/2] a", "[2/2] b"]


def test_a_line_says_which_seeds_and_how_many_arms_and_counts_runs(capsys):
    units = {
        "x": ("pgd-0", 1, "pgd-0, seed 3", "pgd-0 and 4 more arms, seed 3"),
        "y": ("net", 6, "net", "net, seeds 0–5"),
    }
    begin = start(*((name, 1.0) for name in units))
    begin["titles"] = {name: one[2:] for name, one in units.items()}
    begin["runs"] = {name: one[1] for name, one in units.items()}
    with study_progress(None) as show:
        show(begin)
        show({"event": "told", "text": "a long sentence " * 20})
        show(done("x") | {"label": "pgd-0"})
        show(done("y") | {"label": "net"})
    first, told, *lines = capsys.readouterr().err.splitlines()
    assert first == "7 runs to do"
    assert told == ("a long sentence " * 20)  # not broken where somebody else reads it
    assert [line.split(", 0:00")[0] for line in lines] == [
        "[1/7] pgd-0 and 4 more arms, seed 3: done",
        "[7/7] net, seeds 0–5: done",
    ]


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
            show(told("a[/b]", 0.1))
            show(done("a[/b]"))
            show(told("c", 1.0))
            show(done("c"))
            assert show.clock.done == 1
            assert not show.tasks
