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
TOP = ("running", "preparing", "rerunning", "result", "claim_frame", "reporting", "verification")
"""Top-level modules that join studies and report, as the command line does."""
BASE = {"types", "_configuration", "_lazy", "_files", "_plain", "_torch", "_scipy", "_arrow", "_compiler"}
GROUND = BASE | {"metrics", "statistics"}
PILLARS = {"transfer", "attacks", "detection", "explain", "language", "clip"}
TRAINING = GROUND | {"data", "models", "augmentation"}
LAB = GROUND | {"data"}
"""Of data, the lab knows what says facts about them; no tensor."""
BELOW: dict[str, set[str]] = {
    **{name: set[str]() for name in ("types", "_lazy", "_files", "_plain", "_compiler")},
    "_torch": {"_lazy", "types"},
    "_scipy": {"_lazy"},
    "_arrow": {"_lazy"},
    "_configuration": {"types"},
    "statistics": BASE,
    "metrics": BASE | {"statistics"},
    "data": GROUND,
    "models": GROUND | {"data"},
    "augmentation": GROUND,
    "training": TRAINING,
    **{name: TRAINING | {"training"} for name in PILLARS},
    "clip": TRAINING | {"training", "language", "transfer"},
    "lab": LAB,
    "procedures": TRAINING | PILLARS | {"training", "lab"},
    "studies": TRAINING | PILLARS | {"training", "lab", "procedures"},
    "use": TRAINING | PILLARS | {"training", "lab", "procedures"},
    "report": BASE | {"statistics"},
}
EVERYTHING = {*BELOW, "cli", *TOP}
BELOW |= {name: EVERYTHING - {"cli"} for name in TOP}
BELOW |= {"cli": EVERYTHING}
ABSENT: set[str] = set()
"""Pillars that are still to come."""


ALLOWED = {("lab.running.ready", "gradlab.training.device")}
"""What the lab asks of training: whether a GPU is there, where there may be one."""


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


def for_types(path: Path) -> set[str]:
    """What a module of the lab names in annotations alone, without gradlab's own name in front."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and "/lab/" in str(path):
            found |= {(one.module or "") for one in node.body if isinstance(one, ast.ImportFrom)}
    return {name.removeprefix("gradlab.") for name in found}


def concern(name: str) -> str:
    return name.split(".")[0]


MODULES = {name: path for name, path in modules().items() if name != "__init__"}


def test_all_modules_are_walked():
    assert len(MODULES) >= 120
    assert EVERYTHING - {concern(name) for name in MODULES} <= ABSENT
    assert {concern(name) for name in MODULES} <= EVERYTHING


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down(name):
    own = concern(name)
    for target, ours in imported(MODULES[name]):
        if ours and target not in ("gradlab", "__version__"):
            above = concern(target)
            fits = above == own or above in BELOW[own] or (name, f"gradlab.{target}") in ALLOWED
            assert fits or target in for_types(MODULES[name]), f"{name} imports {target}"


def test_every_door_of_a_concern_is_its_package_or_a_public_leaf():
    """No concern reaches for another's private modules, except for the one place that touches global randomness."""
    allowed = {
        "models._randomness",
        "procedures._modules",
        "language._extra",
    }  # randomness; modules handed over; an extra
    for name, path in MODULES.items():
        for target, ours in imported(path):
            if ours and concern(target) != concern(name) and not target.startswith("_"):
                private = any(part.startswith("_") for part in target.split("."))
                assert not private or target in allowed, f"{name} imports {target}"


def at_import(path: Path) -> set[str]:
    """Modules of ours that a module imports when it is loaded itself: not inside functions, not for type checkers."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gradlab"):
            base = (node.module or "").removeprefix("gradlab").removeprefix(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".strip(".")
                found.add(inner if inner in MODULES else base)
    return found & set(MODULES)


def test_files_import_each_other_in_no_circle():
    edges = {name: at_import(path) for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in edges[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def outside_functions(path: Path) -> set[str]:
    """Everything that a module imports when it is loaded, or inside its functions, but not for type checkers alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_the_lab_knows_no_torch_no_training_no_model_and_no_pillar_annotations_aside():
    names = [name for name in MODULES if concern(name) == "lab"]
    assert len(names) >= 35
    forbidden = {"torch", *(f"gradlab.{one}" for one in ("training", "models", "augmentation", *PILLARS))}
    for name in names:
        for target in outside_functions(MODULES[name]):
            wrong = any(target == one or target.startswith(f"{one}.") for one in forbidden)
            assert not wrong or (name, target) in ALLOWED, f"{name} imports {target}"


REFUSING = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name == "torch" or name.startswith("torch."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refusing())
from gradlab.cli import main
for place in sys.argv[1:]:
    for verb in ("verify", "report"):
        assert main([verb, place]) == 0, (verb, place)
"""


@pytest.mark.slow
def test_verifying_and_reporting_work_where_torch_is_not_installed(tmp_path):
    from gradlab.reporting import write_small_form

    write_small_form([make_report(tmp_path / "out")], tmp_path / "small")
    words = [sys.executable, "-c", REFUSING + FINISHED, str(tmp_path / "out"), str(tmp_path / "small")]
    process = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


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
gradlab.explain.EXPLAINERS, gradlab.explain.GradCAM(), gradlab.explain.grad_cam, gradlab.explain.faithfulness
gradlab.training.Recipe(epochs=3).describe()
gradlab.transfer.HEADS, gradlab.transfer.POLICIES, gradlab.transfer.LinearSVM().settings()
gradlab.training.alarms([]), gradlab.training.alarms_of_runs("a", []), gradlab.training.ProbeRow
gradlab.language.TextTransformer().describe(8000, 2), gradlab.language.WordPiece()
gradlab.run, gradlab.plan, gradlab.Result, gradlab.lab.Measure, gradlab.procedures.PROCEDURES
"""
HELP = """
from gradlab.cli import main
for line in ("--help", "--version", "list", "data list", "run residual-mlp --help", "train mlp --help"):
    main(line.split())
"""
FINISHED = """
import os
a, b = sorted(os.listdir(sys.argv[1] + "/records"))[:2]
place = ["--runs", sys.argv[1]]
for arguments in (["list", sys.argv[1]], ["show", a, *place], ["compare", a, b, *place], ["prune", sys.argv[1]]):
    assert main(["runs", *arguments]) == 0, arguments
"""


def test_import_help_and_lists_load_no_torch():
    assert not torch_after(PUBLIC + HELP)


def test_the_same_study_asked_again_loads_no_torch(tmp_path):
    make_report(tmp_path)
    again = f"""
from pathlib import Path
from gradlab.data import info
from gradlab.lab import Request, run_design
from gradlab.procedures import TOOLBOX
from tests.lab.fakes import small_design
out = Path({json.dumps(str(tmp_path))})
request = Request(
    toolbox=TOOLBOX, preset="quick", data="digits", info=info, seeds=(0, 1, 2), out=out, device="cpu"
)
run_design(small_design(), request)
"""
    assert not torch_after(again)
    assert torch_after("import torch")  # the question itself works
