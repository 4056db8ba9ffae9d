"""Verbs run in a process of their own that is killed outright at the n-th change that it makes to files.

`python -m tests.killing` loads everything once, then reads one task a line, forks for it and answers with what came out.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pages import ROOT

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.symlink", "shutil.move")
NEVER = 10**9


class Nursery:
    """Does verbs in processes that can be killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, verb: str, folder: Any, *arguments: Any, kill: int = NEVER) -> tuple[int, int]:
        """Do a verb in a folder; returns its exit code, negative where it was killed, and how many changes it made."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        task = {"verb": verb, "folder": str(folder), "arguments": list(map(str, arguments)), "kill": kill}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        code, changes = json.loads(self._process.stdout.readline())
        return code, changes


@contextmanager
def nursery() -> Iterator[Nursery]:
    """Start the process that loads everything once."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.killing"], cwd=ROOT, stdin=-1, stdout=-1, text=True
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


def _run(folder: str, *seeds: str) -> int:
    """What `gradlab run` does, with toys for trainings."""
    from gradlab.lab import Claim, Figure, Table
    from gradlab.running import _run as run
    from tests.lab import toy

    arms = [toy.arm(name, toy.Draw(mean=mean), level=mean) for name, mean in (("low", -0.5), ("high", 0.5))]
    design = toy.design(
        arms,
        Claim(id="T-1", statement="High hits more", parts=(toy.part("high", "low"),)),
        tables=(Table(name="hits", title="t", caption="c", measures=("hit rate",)),),
        figures=(Figure(name="levels", title="t", caption="c", x="level", y="mean"),),
    )
    run(design, toy.here(Path(folder, "runs"), tuple(map(int, seeds)), report="toy"), ("tensorboard",), False)
    return 0


def _report(folder: str, small: str = "") -> int:
    """What `gradlab report` does, told of the toys."""
    from gradlab.reporting import redraw, write_small_form
    from tests.lab.toys import TOOLBOX

    kinds = list(TOOLBOX.kinds.values())
    folders = redraw(f"{folder}/runs", procedures=kinds)
    if small:
        write_small_form(folders, Path(small), procedures=kinds)
    return 0


def _train(folder: str) -> int:
    from gradlab.data import load
    from gradlab.models import MLP
    from gradlab.training import Recipe
    from gradlab.use import train_model

    small, recipe = MLP(width=4, depth=1), Recipe(epochs=2)
    train_model(
        small, load("digits"), recipe, out=f"{folder}/models/m", runs=f"{folder}/runs", progress=False
    )
    return 0


def _data(folder: str) -> int:
    from gradlab.data import arrays

    os.environ["GRADLAB_CACHE"] = f"{folder}/cache"
    arrays(f"{folder}/pictures")
    return 0


def _verb(verb: str, folder: str, arguments: Sequence[str]) -> int:
    known = {"run": _run, "report": _report, "train": _train, "data": _data}
    if verb in known:
        return known[verb](folder, *arguments)
    from gradlab.cli import main

    return main([*verb.split(), *arguments])


def _killed_at(number: int, seen: list[int]) -> None:
    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if (writes and not str(arguments[0]).startswith("/dev/")) or event in CHANGES:
            seen[0] += 1
            if seen[0] > number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


def _child(task: dict[str, Any], answer: int) -> None:
    seen, code = [0], 99
    os.chdir(task["folder"])
    _killed_at(task["kill"], seen)
    try:
        code = _verb(task["verb"], task["folder"], task["arguments"])
    finally:
        os.write(answer, str(seen[0]).encode())
        os._exit(code)


def main() -> None:
    """Load everything once, then fork for every task."""
    import torch

    import gradlab.cli
    import gradlab.use
    from tests.lab import toy

    assert gradlab.use
    assert toy
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:  # so that all that verbs import is there
        _run(folder, "0")
        _report(folder, f"{folder}/small")
    for line in sys.stdin:
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            _child(json.loads(line), writes)
        os.close(writes)
        with os.fdopen(reads) as stream:
            said = stream.read()
        _, status = os.waitpid(pid, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), int(said or 0)]), flush=True)


if __name__ == "__main__":
    main()
