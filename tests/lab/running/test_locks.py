import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from gradlab.lab.running import locks
from gradlab.lab.running.locks import exclusive, shared, try_lock
from tests.lab import toy

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


@pytest.mark.parametrize("code", ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_warned_of_once_and_refuses_nothing(
    code, toy_finished, tmp_path, monkeypatch, caplog
):
    def refuse(*_):
        raise OSError(getattr(errno, code), "no locks here")

    locks._warn.cache_clear()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with shared(tmp_path / "a.lock"), exclusive(tmp_path / "a.lock"):
        held = try_lock(tmp_path / "a.lock")
        assert held is not None
        held.close()
    assert caplog.text.count("knows no locks") == 1
    toy.run(toy.small_design(), toy.here(tmp_path / "out"))
    records = [
        sorted(one.name for one in (out / "records").iterdir()) for out in (tmp_path / "out", toy_finished)
    ]
    assert records[0] == records[1]
