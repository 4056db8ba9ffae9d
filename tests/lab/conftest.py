import shutil
from pathlib import Path
from typing import Any

import pytest

from gradlab.data import Dataset, load
from gradlab.lab import run_design
from tests.finished import request_here
from tests.lab import toy
from tests.lab.fakes import small_design


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the cache or the data of the person who runs it."""
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRADLAB_DATA", raising=False)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load("digits")


def run_here(
    out: Path, data: Dataset, seeds: tuple[int, ...] = (0, 1, 2), *, epochs: int = 2
) -> dict[str, Any]:
    """Run the small design in this process."""
    return run_design(small_design(epochs), request_here(out, data, seeds))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """An --out folder with the records of the small design; read only."""
    out = tmp_path_factory.mktemp("finished")
    run_here(out, digits)
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished folder that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


@pytest.fixture(scope="session")
def toy_finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An --out folder with the records of the toy design; read only."""
    out = tmp_path_factory.mktemp("toy")
    toy.run(toy.small_design(), toy.here(out))
    return out


@pytest.fixture
def toys(toy_finished: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    return Path(shutil.copytree(toy_finished, tmp_path / "toys"))
