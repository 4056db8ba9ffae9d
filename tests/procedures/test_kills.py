"""Every procedure, killed at any moment and asked again, gives the results of an uninterrupted run and leaves nothing over."""

import json
import random
from pathlib import Path

import pytest

from tests.kills import VICTIMS, Nursery, at_once, events_of, interrupted, needs_proc, same_after
from tests.procedures.examples import WORKING
from tests.procedures.parent import write_data

pytestmark = [needs_proc, pytest.mark.slow]
EVENTS, MOMENT = 8, 0.05
"""Events of work in a run of the longest example; the seconds that one of its parts takes, about."""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Start the program by forking: importing it takes longer than its work."""
    with Nursery("tests.procedures.parent", tmp_path_factory.mktemp("nursery")) as nursery:
        yield nursery.start


@pytest.fixture(scope="module", params=WORKING)
def asked(request, tmp_path_factory) -> list[str]:
    """The command without its --out folder."""
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return ["tests.procedures.parent", request.param, str(folder)]


@pytest.fixture(scope="module")
def whole(asked, start, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    with start([*asked, str(out)]) as process:
        last = list(events_of(process))[-1]
    assert last["event"] == "result", last
    (out / "result.json").write_text(json.dumps(last["result"]))
    return out


@pytest.mark.parametrize("number", range(10))
def test_thirty_kills_at_random_moments(asked, whole, start, tmp_path, number):
    rng, command = random.Random(300 + number), [*asked, str(tmp_path / "cut")]
    for victim in rng.sample(VICTIMS, 3):
        interrupted(command, victim, rng.randint(1, EVENTS // 2), rng.random() * MOMENT, start)
    same_after(whole, tmp_path / "cut", command, start)


def test_six_processes_at_once_with_kills(asked, whole, start, tmp_path):
    rng, command = random.Random(4), [*asked, str(tmp_path / "cut")]
    endings = at_once([command] * 6, VICTIMS, rng, start)
    assert endings[3:] == ["result"] * 3  # those that nobody killed
    same_after(whole, tmp_path / "cut", command, start)
