import json
import subprocess
import sys

import pytest
import torch

from gradlab._compiler import spare_compiler
from tests.pages import ROOT

TRAINING = """
import json, sys, torch
from gradlab._compiler import spare_compiler
from gradlab.models import MLP, summary
from gradlab.training import Recipe, fit
from tests.training.examples import CLASSES, SHAPE, blobs
one = torch.optim.Optimizer
spare_compiler(one.add_param_group, one.load_state_dict, one.state_dict, one.zero_grad)
model = MLP(depth=1, width=8).build(SHAPE, CLASSES, seed=0, mean=(0.3,), std=(0.25,))
for optimizer in ("adam", "sgd", "adamw", "muon"):
    fit(model, blobs(), Recipe(optimizer=optimizer, epochs=1), progress=False)
summary(model, SHAPE)
print(json.dumps([name for name in ("torch._dynamo", "sympy") if name in sys.modules]))
"""


def test_a_marked_function_is_called_as_it_is_and_another_is_left_alone():
    def plain(x):
        return x + 1

    marked = torch._disable_dynamo(plain)
    spare_compiler(marked, plain)
    assert plain.__dynamo_disable is plain
    assert marked(1) == 2


@pytest.mark.slow
def test_no_training_loads_the_compiler():
    done = subprocess.run(
        [sys.executable, "-c", TRAINING], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
