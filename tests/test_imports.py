"""Arrows go down only, and what needs no torch does not load it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.finished import make_report
from tests.pages import ROOT

SOURCE = ROOT / "src" / "gradlab"
TOP = ("running", "result", "reporting", "verification")
"""Top-level modules that join studies and report, as the command line does."""
GROUND = {"metrics", "statistics", "types", "_files", "_lazy", "_torch"}
BELOW: dict[str, set[str]] = {
    "types": set(),
    "_files": set(),
    "_lazy": set(),
    "_torch": {"_lazy"},
    "statistics": {"types", "_lazy"},
    "metrics": {"types", "_lazy", "statistics"},
    "data": GROUND,
    "models": GROUND | {"data"},
    "augmentation": GROUND,
    "training": GROUND | {"augmentation", "data", "models"},
    "attacks": GROUND | {"training", "models", "data", "augmentation"},
    "detection": GROUND | {"training", "models", "data", "augmentation"},
    "language": GROUND | {"data", "models", "training"},
    "lab": GROUND | {"augmentation", "data", "models", "training"},
    "studies": GROUND | {"augmentation", "data", "models", "training", "lab"},
    "report": {"types", "_lazy", "statistics"},
}
EVERYTHING = {*BELOW, "cli", *TOP}
BELOW |= {name: EVERYTHING - {"cli"} for name in TOP}
BELOW |= {"cli": EVERYTHING}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name inside it."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(SOURCE.rglob("*.py"))
    }


def imported(path: Path) -> set[tuple[str, bool]]:
    """What a module imports, also inside functions and for type checkers: (name, whether from gradlab)."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "gradlab" else [module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {(name.removeprefix("gradlab."), name.startswith("gradlab")) for name in names}
    return found


def concern(name: str) -> str:
    return name.split(".")[0]


MODULES = {name: path for name, path in modules().items() if name != "__init__"}


def test_all_modules_are_walked():
    assert len(MODULES) >= 120
    assert {concern(name) for name in MODULES} == EVERYTHING


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down(name):
    own = concern(name)
    for target, ours in imported(MODULES[name]):
        if ours and target not in ("gradlab", "__version__"):
            above = concern(target)
            assert above == own or above in BELOW[own], f"{name} imports {target}"


def test_every_door_of_a_concern_is_its_package_or_a_public_leaf():
    """No concern reaches for another's private modules, except for the one place that touches global randomness."""
    allowed = {"models._randomness"}
    for name, path in MODULES.items():
        for target, ours in imported(path):
            if ours and concern(target) != concern(name) and not target.startswith("_"):
                private = any(part.startswith("_") for part in target.split("."))
                assert not private or target in allowed, f"{name} imports {target}"


def test_the_report_and_the_ground_floor_know_no_torch():
    for name, path in MODULES.items():
        if concern(name) in ("report", "statistics", "metrics", "types", "_files", "_lazy"):
            assert not {target for target, _ in imported(path) if concern(target) == "torch"}, name


def torch_after(code: str, *arguments: str) -> bool:
    """Run code in a fresh interpreter; whether it loaded torch."""
    process = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('torch' in sys.modules)", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "100"},
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()[-1] == "True"


PUBLIC = """
import gradlab, gradlab.report, gradlab.statistics, gradlab.studies, gradlab.metrics
gradlab.statistics.judge([0.1, 0.2, 0.15], delta=0.01)
gradlab.data.info("digits")
gradlab.models.MLP(width=8).describe(64, 10)
gradlab.models.CNN().describe((1, 8, 8), 10), gradlab.models.MODELS
gradlab.attacks.ATTACKS, gradlab.attacks.PGD(eps="4/255"), gradlab.attacks.pgd
gradlab.detection.DETECTORS["max-softmax"]().score([[1.0, 2.0]])
gradlab.training.Recipe(epochs=3).describe()
gradlab.training.alarms([]), gradlab.training.alarms_of_runs("a", []), gradlab.training.ProbeRow
gradlab.language.TextTransformer().describe(8000, 2), gradlab.language.WordPiece()
gradlab.run, gradlab.plan, gradlab.Result, gradlab.lab.MEASURES
"""
HELP = """
from gradlab.cli import main
for line in ("--help", "--version", "list", "data list", "run residual-mlp --help", "train mlp --help"):
    main(line.split())
"""
FINISHED = """
import os, sys
from gradlab.cli import main
for arguments in (["runs", sys.argv[1]], ["verify", sys.argv[1]], ["report", sys.argv[1]]):
    assert main(arguments) == 0, arguments
a, b = sorted(os.listdir(sys.argv[1] + "/records"))[:2]
place = ["--runs", sys.argv[1]]
for arguments in (["list", sys.argv[1]], ["show", a, *place], ["compare", a, b, *place], ["prune", sys.argv[1]]):
    assert main(["runs", *arguments]) == 0, arguments
"""


def test_import_help_and_lists_load_no_torch():
    assert not torch_after(PUBLIC + HELP)


def test_the_path_over_finished_records_loads_no_torch(tmp_path):
    make_report(tmp_path)
    assert not torch_after(FINISHED, str(tmp_path))
    again = f"""
from pathlib import Path
from gradlab.lab.run import Request, facts_of, run_design
from tests.lab.fakes import small_design
request = Request(preset="quick", data="digits", seeds=(0, 1, 2), out=Path({json.dumps(str(tmp_path))}), device="cpu")
run_design(small_design(), request, facts_of(request))
"""
    assert not torch_after(again)
    assert torch_after("import torch")  # the question itself works
