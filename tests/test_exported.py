"""The public list of every package is what it exports, whichever module is loaded first."""

import ast
import importlib
import inspect
import subprocess
import sys
import types

import pytest

import gradlab
from tests.pages import ROOT

PACKAGES = (
    "gradlab",
    "attacks",
    "augmentation",
    "clip",
    "data",
    "detection",
    "explain",
    "lab",
    "language",
    "metrics",
    "models",
    "procedures",
    "report",
    "statistics",
    "studies",
    "training",
    "transfer",
    "use",
)


def package(name: str) -> types.ModuleType:
    return gradlab if name == "gradlab" else importlib.import_module(f"gradlab.{name}")


def test_every_package_is_here():
    found = {path.parent.name for path in (ROOT / "src" / "gradlab").glob("*/__init__.py")}
    assert found == {*PACKAGES, "cli"} - {"gradlab"}


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_resolves_and_is_documented(name):
    itself = package(name)
    assert len(itself.__all__) >= 3
    assert len(set(itself.__all__)) == len(itself.__all__)
    for public in itself.__all__:
        value = getattr(itself, public)
        if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
            assert inspect.getdoc(value), f"{name}.{public} has no docstring"


@pytest.mark.parametrize("name", PACKAGES)
def test_dir_is_the_public_list(name):
    itself = package(name)
    assert set(dir(itself)) >= {public for public in itself.__all__ if public != "__version__"}


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checkers_see_the_same_names(name):
    """What stands under TYPE_CHECKING is what is loaded on first use."""
    itself = package(name)
    tree = ast.parse(inspect.getsource(itself))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    seen = [alias.asname for node in imports for alias in node.names if alias.asname]
    wanted = [public for public in itself.__all__ if public != "__version__"]
    assert sorted(seen) == sorted(wanted)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_name_that_is_not_there_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = package(name).nonsense


TWINS = [
    (name, public)
    for name in PACKAGES
    for public in package(name).__all__
    if (ROOT / "src" / "gradlab" / name / f"{public}.py").exists() and name != "gradlab"
]
"""Public names that a module of the package has too."""


def test_there_are_functions_with_the_name_of_their_module():
    assert ("training", "fit") in TWINS
    assert ("statistics", "judge") in TWINS
    assert len(TWINS) >= 10


@pytest.mark.slow
def test_a_function_wins_over_its_module_whichever_is_loaded_first():
    """In one fresh interpreter: the function first for every other pair, the module first for the rest."""
    code = f"""
import importlib, sys, types
for number, (name, public) in enumerate({TWINS!r}):
    package = importlib.import_module(f"gradlab.{{name}}")
    if number % 2:
        importlib.import_module(f"gradlab.{{name}}.{{public}}")
    first = getattr(package, public)
    importlib.import_module(f"gradlab.{{name}}.{{public}}")
    assert not isinstance(first, types.ModuleType), (name, public)
    assert getattr(package, public) is first, (name, public)
    assert isinstance(sys.modules[f"gradlab.{{name}}.{{public}}"], types.ModuleType)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert gradlab.__version__ == version("gradlab")
