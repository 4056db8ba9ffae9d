import os
import signal
import subprocess
import sys

from gradlab.lab.running.locks import exclusive, try_lock

HOLD = """
import sys
from pathlib import Path
from gradlab.lab.running.locks import try_lock

held = try_lock(Path(sys.argv[1]))
print(held is not None, flush=True)
sys.stdin.read()
"""


def test_a_lock_is_had_by_one_and_free_again_when_closed(tmp_path):
    first = try_lock(tmp_path / "work" / "a.lock")
    assert first is not None
    assert try_lock(tmp_path / "work" / "a.lock") is None
    first.close()
    second = try_lock(tmp_path / "work" / "a.lock")
    assert second is not None
    second.close()


def test_the_death_of_its_holder_frees_a_lock(tmp_path):
    path = tmp_path / "a.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert try_lock(path) is None
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with exclusive(path):  # would wait for ever
        assert try_lock(path) is None
