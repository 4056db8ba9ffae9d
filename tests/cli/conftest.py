import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gradlab.cli import main
from tests.studied import study

OPTIONS = ["--depths", "2", "--epochs", "1", "--width", "4", "--seeds", "2"]
NAME = "residual-mlp-digits-quick-depths-2-width-4-epochs-1-seeds-2"
"""Of the report that these options make."""


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What the program says about a mistake; it must be one line without a traceback."""
        assert self.code == 1
        assert self.out == ""
        assert self.err.startswith("gradlab: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("gradlab: ").strip()


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder of its own, with no data and no cache of the person who runs it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("GRADLAB_DATA", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run the program in this process."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        found = capsys.readouterr()
        return Answer(code, found.out, found.err)

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An --out folder in which `gradlab run residual-mlp OPTIONS` finds every record; read only."""
    out = tmp_path_factory.mktemp("cli") / "out"
    study(out)
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished folder that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "out"))
