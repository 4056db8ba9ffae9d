"""DistilBERT and CLIP ViT-B/32 at their full size, built from their configurations: a step and an evaluation within 8 GB."""

import json
import subprocess
import sys

import pytest

from tests.pages import ROOT

PARAMETERS = {"distilbert": 66_955_010, "clip": 151_277_313}
"""As of distilbert-base-uncased with a head for two classes, and of openai/clip-vit-base-patch32."""


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_step_and_an_evaluation_fit_into_eight_gigabytes(name):
    script = ROOT / "benchmarks" / "full_size.py"
    process = subprocess.run([sys.executable, script, name], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    told = json.loads(process.stdout.splitlines()[-1])
    assert told["parameters"] == PARAMETERS[name]
    assert told["loss"] > 0
    assert 0 <= told["accuracy"] <= 1
    assert told["gigabytes"] < 8
