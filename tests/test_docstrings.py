"""Every example in a docstring prints what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

import gradlab

ROOT = Path(gradlab.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(("gradlab", *file.relative_to(ROOT).with_suffix("").parts))
    for file in ROOT.rglob("*.py")
    if ">>>" in file.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_print_what_they_say(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
