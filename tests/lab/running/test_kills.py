"""Killed at any moment and asked again, the results are those of an uninterrupted run, and nothing is left over."""

import json
import random
from pathlib import Path

import pytest

from tests.kills import VICTIMS, at_once, interrupted, needs_proc, same_after
from tests.lab import toy

pytestmark = needs_proc
PAUSE = 0.02


def command(out: Path) -> list[str]:
    return ["tests.lab.running.parent", str(out), str(PAUSE), "2"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    result = toy.run(toy.small_design(PAUSE), toy.here(out, (0, 1)))
    (out / "result.json").write_text(json.dumps(result))
    return out


@pytest.mark.slow
def test_killed_three_times_and_asked_again_the_results_are_the_same(whole, tmp_path):
    rng, out = random.Random(3), tmp_path / "cut"
    for victim in VICTIMS:
        ending = interrupted(command(out), victim, rng.randint(1, 8), rng.random() * PAUSE)
        if victim == "worker":
            assert ending.startswith("a worker process died"), ending
            assert "\n" not in ending
    same_after(whole, out, command(out))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_thirty_kills_at_random_moments(whole, tmp_path, number):
    rng, out = random.Random(100 + number), tmp_path / "cut"
    for victim in rng.sample(VICTIMS, 3):
        interrupted(command(out), victim, rng.randint(1, 24), rng.random() * 3 * PAUSE)
    same_after(whole, out, command(out))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_six_processes_at_once_with_kills(whole, tmp_path, number):
    rng, out = random.Random(200 + number), tmp_path / "cut"
    endings = at_once([command(out)] * 6, rng.sample(VICTIMS, 3), rng)
    assert endings[3:] == ["result"] * 3  # those that nobody killed
    same_after(whole, out, command(out))
