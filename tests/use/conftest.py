import shutil
from pathlib import Path

import pytest

from gradlab.data import Dataset, load
from tests.studied import study


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the cache, the data or the records of the person who runs it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRADLAB_DATA", raising=False)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An --out folder with the records of a small study; read only."""
    out = tmp_path_factory.mktemp("use") / "out"
    study(out)
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished folder that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "out"))
