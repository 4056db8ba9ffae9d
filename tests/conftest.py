"""What all tests share: where the real data sets are."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


_drawn: dict[str, str] = {}
"""Drawings by all that goes into them."""
OF_DRAWINGS = {f"test_{name}.py" for name in ("figures", "kinds", "labels", "marks", "page", "public")}
"""Tests in tests/report that ask whether drawing is right, and the same each time."""


@pytest.fixture(autouse=True, scope="module")
def drawn_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Draw the same figure once in all tests but those of the drawings themselves; drawing is half of what a report costs."""
    if request.path.parent.name == "report" and request.path.name in OF_DRAWINGS:
        yield
        return
    from gradlab.report.figures import FIGURES

    before = dict(FIGURES)

    def kept(kind: str) -> Any:
        def draw(figure: Any, **more: Any) -> str:
            key = json.dumps([kind, figure, more], sort_keys=True)
            if key not in _drawn:
                _drawn[key] = before[kind](figure, **more)
            return _drawn[key]

        return draw

    FIGURES.update({kind: kept(kind) for kind in before})
    yield
    FIGURES.update(before)
