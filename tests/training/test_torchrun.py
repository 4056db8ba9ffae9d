"""What the environment says about the processes of one training, and how one ends whose fellow was lost."""

import subprocess
import sys

import pytest

from gradlab.training import torchrun

TOLD = {
    "RANK": "1",
    "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (4, True, False, 2)),
        ({"RANK": "0"}, (4, True, True, 2)),
        ({"WORLD_SIZE": "1"}, (1, False, True, 1)),
        ({"MASTER_PORT": None}, (1, False, True, 1)),  # some queues set a part of them
        ({"WORLD_SIZE": "many"}, (1, False, True, 1)),
    ],
)
def test_the_environment_is_read(monkeypatch, change, expected):
    for name, value in (TOLD | change).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    found = (
        torchrun.process_count(), torchrun.is_one_of_several(), torchrun.is_first(), torchrun.processes_here()
    )  # fmt: skip
    assert found == expected


ENDING = """
import atexit, sys, threading
from gradlab.training.torchrun import leave, note_loss
threading.Thread(target=threading.Event().wait).start()  # as those of the library, which wait for the lost process
atexit.register(print, "registered")
sys.stdout.write("printed ")
note_loss()
note_loss()
"""


def ended(code: str) -> "subprocess.CompletedProcess[str]":
    """Run a script, which an ordinary end would leave waiting for ever."""
    return subprocess.run([sys.executable, "-c", ENDING + code], capture_output=True, text=True, timeout=60)


def test_a_process_that_lost_another_ends_at_once_with_its_code_and_all_that_it_printed():
    found = ended("leave(3)")
    assert (found.returncode, found.stdout, found.stderr) == (3, "printed registered\n", "")


def test_the_program_ends_so_after_its_sentence():
    found = ended("from gradlab.cli import main; sys.exit(main(['tran']))")
    assert (found.returncode, found.stdout) == (1, "printed registered\n")
    assert found.stderr == "gradlab: unknown command 'tran'; did you mean 'train'?\n"


def test_a_script_of_ones_own_ends_so_after_its_traceback():
    found = ended("raise ValueError('no answer')")
    assert (found.returncode, found.stdout) == (1, "printed registered\n")
    assert found.stderr.endswith("ValueError: no answer\n")


def test_a_process_that_lost_nobody_ends_as_any_other():
    torchrun.leave(3)
