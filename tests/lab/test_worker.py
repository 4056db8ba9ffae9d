import errno
import io
import subprocess
import sys

import pytest

from gradlab.lab.worker import disk_message


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_what_to_do(number):
    text = disk_message(OSError(number, "whatever"))
    assert (
        text
        == "the disk is full; free some space or choose another --out, then ask again: finished runs are kept."
    )


def test_another_error_of_the_system_names_its_file():
    text = disk_message(PermissionError(errno.EACCES, "Permission denied", "/x/y"))
    assert text == "Permission denied: /x/y; mend it, then ask again: finished runs are kept."
    assert disk_message(io.UnsupportedOperation("odd")).startswith("odd; mend it")


def test_a_worker_whose_parent_has_gone_ends_by_itself():
    worker = subprocess.Popen(
        [sys.executable, "-m", "gradlab.lab.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(timeout=60) == 0
    assert worker.stdout is not None
    assert worker.stdout.read() == b""
    worker.stdout.close()
