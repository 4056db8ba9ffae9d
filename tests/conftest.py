"""What all tests share: where the real data sets are."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""The tensors are tiny: threads that wait for each other cost more than they compute. Holds for processes started here too."""
if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "sched_setaffinity"):
    # one core for each process of tests, and so one worker for each study in them: loading torch is what costs
    _cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {_cores[int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % len(_cores)]})
settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real data sets; tests that need it skip where it is absent."""
    given = os.environ.get("GRADLAB_DATA")
    if not given or not Path(given).is_dir():
        pytest.skip("needs real data sets: set GRADLAB_DATA to their folder")
    return Path(given)
