import subprocess
import sys

import pytest

import gradlab.statistics


def test_every_public_name_loads_and_is_listed() -> None:
    assert list(gradlab.statistics.__all__) == sorted(gradlab.statistics.__all__) == dir(gradlab.statistics)
    for name in gradlab.statistics.__all__:
        assert getattr(gradlab.statistics, name) is not None


@pytest.mark.parametrize("first", ["gradlab.statistics.judge_every", "gradlab.statistics.plan"])
def test_a_function_wins_over_the_module_of_its_name_whatever_is_imported_first(first: str) -> None:
    code = (
        f"import importlib; importlib.import_module({first!r}); import gradlab.statistics as s; "
        "assert all(callable(getattr(s, n)) for n in ('interval', 'judge', 'judge_every', 'plan', 'verdict'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_statistics_import_no_torch_and_no_scipy_stats() -> None:
    code = (
        "import sys; from gradlab.statistics import *; "
        "assert not {'torch', 'scipy.stats', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
