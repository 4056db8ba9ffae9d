"""Killed at any change that it makes, a verb has deleted nothing of a person's own; asked again, it completes."""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gradlab.models import MLP, save
from gradlab.verification import verify
from tests.data import make
from tests.killing import Nursery, nursery
from tests.lab.toys import TOOLBOX

pytestmark = pytest.mark.slow
OWN = (
    "notes.txt",
    ".git/HEAD",
    ".report.html.swp",
    ".model.json.swp",
    "mine.tmp",
    ".mine.part",
    "mine.csv",
    "mine.svg",
)
KILLS = 5


def sound(folder: Path) -> None:
    """What is wrong with a report is at most that a person's own files lie there."""
    (found,) = verify(folder, procedures=list(TOOLBOX.kinds.values()))
    assert [one for one in found.differences if "is not listed in manifest.json" not in one] == []


def is_small(work: Path) -> None:
    sound(work / "results" / "homework")


def is_reported(work: Path) -> None:
    (report,) = (work / "runs" / "reports").glob("*/results.json")
    sound(report.parent)


def is_pruned(work: Path) -> None:
    assert not (work / "runs" / "records" / ("0" * 20)).exists()
    is_reported(work)


def lone(work: Path) -> None:
    """A record that no report needs, half-written files, and the log of a process that has gone."""
    records = work / "runs" / "records"
    shutil.copytree(next(records.glob("*/manifest.json")).parent, records / ("0" * 20))
    shutil.copytree(records / ("0" * 20), records / f".{'0' * 20}.{'0' * 32}.tmp")
    (work / "runs" / "work" / "worker-999999999-abc-0.log").write_text("gone")


def old_small(work: Path) -> None:
    shutil.copytree(work / "small", work / "results" / "homework")


def no_page(work: Path) -> None:
    (page,) = (work / "runs" / "reports").glob("*/report.html")
    page.unlink()


@dataclass(frozen=True)
class Verb:
    """A verb with its arguments, what stands before, and what has to be true after."""

    name: str
    arguments: tuple[str, ...] = ()
    before: Callable[[Path], object] = lambda _: None
    after: Callable[[Path], object] = lambda _: None
    once: bool = False


def holds(*names: str) -> Callable[[Path], None]:
    def check(work: Path) -> None:
        assert all((work / name).stat().st_size > 0 for name in names)

    return check


EXPORT = "runs export"
VERBS = {
    "run": Verb("run", ("0", "1"), lambda work: shutil.rmtree(work / "runs"), is_reported),
    "run again, more": Verb("run", ("0", "1", "2", "3"), after=is_reported),
    "run over damaged records": Verb(
        "run",
        ("2",),
        lambda work: next(work.glob("runs/records/*/manifest.json")).write_text(""),
        is_reported,
    ),
    "train": Verb("train", after=holds("models/m/model.json", "models/m/model.safetensors")),
    "report": Verb("report", (), no_page, is_reported),
    "report --small": Verb("report", ("results/homework",), after=is_small),
    "report --small, again": Verb("report", ("results/homework",), old_small, is_small),
    "runs prune": Verb("runs prune", ("runs", "--yes"), lone, is_pruned),
    "safetensors": Verb(
        EXPORT, ("model", "--out", "models/e"), after=holds("models/e/model.json"), once=True
    ),
    "torch-export": Verb(
        EXPORT, ("model", "--out", "models/e", "--to", "torch-export"), after=holds("models/e.pt2"), once=True
    ),
    "predict": Verb(
        "predict",
        ("model", "pictures", "--csv", "results/said.csv"),
        after=holds("results/said.csv"),
        once=True,
    ),
    "data": Verb("data"),
}


@pytest.fixture(scope="module")
def nurse() -> Iterator[Nursery]:
    with nursery() as one:
        yield one


@pytest.fixture(scope="module")
def whole(nurse, tmp_path_factory) -> Path:
    """A folder with a finished study, its small form, a model and pictures."""
    work = tmp_path_factory.mktemp("work")
    (work / "results").mkdir()
    make.class_folders(work / "pictures", np.random.default_rng(0), {"a": 5, "b": 5})
    assert nurse.do("run", work, 0, 1)[0] == 0
    network = MLP(width=4, depth=1).build((1, 8, 8), 3, seed=0)
    save(network, work / "model")
    assert nurse.do("report", work, "small")[0] == 0
    return work


def own_files(work: Path) -> dict[Path, bytes]:
    """Put a person's own files beside everything; returns what they hold."""
    folders = [work, *(one for one in work.rglob("*") if one.is_dir() and "0" * 20 not in one.name)]
    closed = {
        work / "model",
        *(work / "results").rglob("*"),
        *(work / "small").rglob("*"),
        *(work / "pictures").rglob("*"),
    }
    found = {}
    for folder in folders:
        for name in OWN if folder not in closed | {work / "small", work / "pictures"} else ():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"mine, {path}")
            found[path] = path.read_bytes()
    return found


def kept(own: dict[Path, bytes]) -> list[Path]:
    return [path for path, content in own.items() if not path.is_file() or path.read_bytes() != content]


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_random_moments_it_deletes_nothing_of_a_person_s_own(verb, nurse, whole, tmp_path):
    one, rng = VERBS[verb], random.Random(verb)
    shutil.copytree(whole, tmp_path / "first")
    one.before(tmp_path / "first")
    code, changes = nurse.do(one.name, tmp_path / "first", *one.arguments)
    assert code == 0
    for moment in sorted(rng.randrange(changes) for _ in range(KILLS)):
        work = Path(shutil.copytree(whole, tmp_path / "work"))
        one.before(work)
        own = own_files(work)
        code, _ = nurse.do(one.name, work, *one.arguments, kill=moment)
        assert code == -9
        assert kept(own) == [], moment
        again, _ = nurse.do(one.name, work, *one.arguments)
        assert again == 0 or (again == 1 and one.once), moment  # it does not overwrite what is whole
        assert kept(own) == [], moment
        one.after(work)
        shutil.rmtree(work)
