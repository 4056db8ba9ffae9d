"""Damage to the records of a finished study, or to its small form: run, verify and list name it, mend it, or say the same."""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gradlab.cli._runs_list import Wanted, rows_of, with_value
from gradlab.data import load
from gradlab.lab import run_design
from gradlab.lab.judging.verify import verify_results
from gradlab.lab.kinds import Kind
from gradlab.procedures import PROCEDURES
from gradlab.reporting import write_small_form, write_when_changed
from gradlab.types import UserError
from tests.damage import damaged
from tests.finished import request_here
from tests.lab import toy
from tests.lab.fakes import small_design

SAID = ("answer", "claims", "tables", "figures", "arms", "seeds", "twins", "alarms")
"""What of a result rests on the runs' numbers, and not on when and where they were made."""


@dataclass(frozen=True)
class Whole:
    """A finished study, its report, and how to ask for it again."""

    out: Path
    again: Callable[[Path], dict[str, Any]]
    kinds: Mapping[str, Kind]

    @property
    def report(self) -> Path:
        return self.out / "reports" / "one"


def finish(out: Path, again: Callable[[Path], dict[str, Any]], kinds: Mapping[str, Kind]) -> Whole:
    write_when_changed(again(out), out / "reports" / "one")
    return Whole(out, again, kinds)


@pytest.fixture(scope="module")
def toys(tmp_path_factory) -> Whole:
    def again(out: Path) -> dict[str, Any]:
        return toy.run(toy.small_design(), toy.here(out))

    return finish(tmp_path_factory.mktemp("toys"), again, toy.TOOLBOX.kinds)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory) -> Whole:
    digits = load("digits")

    def again(out: Path) -> dict[str, Any]:
        return run_design(small_design(1), request_here(out, digits, (0, 1)))

    return finish(tmp_path_factory.mktemp("trainings"), again, PROCEDURES)


def replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def exchange(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


DEEDS: dict[str, Callable[[Path, Path, Path], object]] = {
    "delete": lambda file, _mate, _other: file.unlink(),
    "rename": lambda file, _mate, _other: file.rename(f"{file}.old"),
    "as its neighbour": lambda file, mate, _other: shutil.copyfile(mate, file),
    "as in another record": lambda file, _mate, other: shutil.copyfile(other / file.name, file),
    "another record": lambda file, _mate, other: exchange(file.parent, other),
    "a file more": lambda file, _mate, _other: file.with_name("extra.parquet").write_bytes(b"mine"),
    "a pipe": lambda file, _mate, _other: replace(file, os.mkfifo),
    "an endless device": lambda file, _mate, _other: replace(file, lambda path: path.symlink_to("/dev/zero")),
    "a link to nowhere": lambda file, _mate, _other: replace(file, lambda path: path.symlink_to("/no/where")),
    "a folder": lambda file, _mate, _other: replace(file, Path.mkdir),
    "no folder": lambda file, _mate, _other: shutil.rmtree(file.parent),
}  # fmt: skip


def spoil(records: Path, rng: random.Random) -> str:
    """Do something to a file of a record, or to a whole record, and say what."""
    file = rng.choice(sorted(records.glob("*/*")))
    if rng.random() < 0.5:
        what, content = damaged(file.read_bytes(), rng)
        file.write_bytes(content)
    else:
        mate = rng.choice([one for one in sorted(file.parent.iterdir()) if one != file])
        others = [
            one for one in sorted(records.iterdir()) if one != file.parent and (one / file.name).exists()
        ]
        what = rng.choice(sorted(DEEDS))
        DEEDS[what](file, mate, rng.choice(others))
    return f"{what}: {file.parent.name}/{file.name}"


def said(results: Mapping[str, Any]) -> str:
    """All that a result says, of runs without their digests."""
    runs = [{name: value for name, value in run.items() if name != "digest"} for run in results["runs"]]
    return json.dumps([runs, *(results[name] for name in SAID)], sort_keys=True)


def answered(whole: Whole, out: Path) -> str:
    """What the study says when it is asked for again, or the sentence that refuses it."""
    try:
        return said(whole.again(out))
    except UserError as error:
        return str(error)


def is_named(answer: str, out: Path) -> bool:
    return str(out / "records") in answer and "run the study again" in answer and "\n" not in answer


def listed(out: Path) -> dict[str, dict[str, Any]]:
    rows = [with_value(row) for row in rows_of(out, Wanted())]
    return {row["record"]: row for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("toys", 160), ("trainings", 40)])
def test_of_two_hundred_damaged_records_none_silently_gives_another_number(kind, count, tmp_path, request):
    whole: Whole = request.getfixturevalue(kind)
    expected, rows = json.loads((whole.report / "results.json").read_text()), listed(whole.out)
    outcomes: Counter[str] = Counter()
    for number in range(count):
        rng = random.Random(number)
        out = Path(shutil.copytree(whole.out, tmp_path / str(number)))
        done = f"{number}, {spoil(out / 'records', rng)}"
        for name, row in listed(out).items():
            assert row["status"] == "damaged" or row == rows.get(name), done
        fresh, differences, _, _ = verify_results(out / "reports" / "one", whole.kinds)
        assert differences or fresh == expected, done
        answer = answered(whole, out)
        assert answer == said(expected) or is_named(answer, out), (done, answer)
        outcomes["named" if is_named(answer, out) else "the same"] += 1
        shutil.rmtree(out)
    assert outcomes.total() == count
    assert min(outcomes["the same"], outcomes["named"]) > 0.1 * count


@pytest.mark.slow
def test_of_forty_damaged_small_forms_none_is_silently_another(toys, tmp_path):
    small = tmp_path / "small"
    write_small_form([toys.report], small, procedures=list(toys.kinds.values()))
    expected = json.loads((small / "results.json").read_text())
    sound = 0
    for number in range(40):
        rng = random.Random(number)
        copied = Path(shutil.copytree(small, tmp_path / "copied"))
        file = copied / rng.choice(("runs.json", "columns.parquet"))
        what, content = damaged(file.read_bytes(), rng)
        file.write_bytes(content)
        fresh, differences, _, _ = verify_results(copied, toys.kinds)
        assert differences or fresh == expected, (number, what, file.name)
        sound += not differences
        shutil.rmtree(copied)
    assert sound < 20
