"""Workers that are forked from their parent, which has imported all that they need, instead of started anew.

Most of a worker's start is the import of PyTorch; a test that kills hundreds of them spares itself that. Whatever follows
the start is the real worker. `tests/lab/running/test_kills.py` kills workers that were started as a person's are.
"""

import contextlib
import importlib
import os
import signal
import sys
import traceback
from subprocess import PIPE
from typing import IO, Any

import torch

from gradlab.lab.running import local
from gradlab.lab.running.worker import serve
from gradlab.procedures import TOOLBOX

LOADED_LATE = (
    "peft", "scipy.stats", "sklearn.linear_model", "sklearn.neighbors", "sklearn.svm", "torch._dynamo",
    "transformers.models.auto.modeling_auto", "transformers.models.clip.modeling_clip",
    "transformers.models.distilbert.modeling_distilbert",
)  # fmt: skip


class ForkedWorker:
    """As much of `subprocess.Popen` as `worker_process` needs."""

    def __init__(self, command: list[str], *, stdin: int, stdout: int, stderr: IO[bytes], env: dict) -> None:
        assert (command[1:], stdin, stdout) == (["-m", "gradlab.procedures.worker"], PIPE, PIPE)
        tasks, own = os.pipe()
        heard, answers = os.pipe()
        self.pid, self._gone = os.fork(), False
        if self.pid == 0:
            work({0: tasks, 1: answers, 2: stderr.fileno()}, env)
        os.close(tasks)
        os.close(answers)
        self.stdin, self.stdout = open(own, "wb"), open(heard, "rb")  # noqa: SIM115

    def kill(self) -> None:
        if not self._gone:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self._gone = True


def work(places: dict[int, int], env: dict[str, str]) -> None:
    """Be a worker on these files until there is nothing to do; never returns."""
    try:
        for place, given in places.items():
            os.dup2(given, place)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # locks and the pipes of other workers are not its own
        os.environ.update(env)
        torch.set_num_threads(1)
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115
        serve(TOOLBOX)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(1)


def fork_workers() -> None:
    """Let this process fork its workers from now on; they find loaded what they would load one by one."""
    for name in LOADED_LATE:
        importlib.import_module(name)
    local.subprocess = _Subprocess  # type: ignore[attr-defined]


class _Subprocess:
    """What `local` uses of the module."""

    Popen: Any = ForkedWorker
    PIPE = PIPE
