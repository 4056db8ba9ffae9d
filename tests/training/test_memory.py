"""Memory that does not suffice: one sentence with the batch that failed and those to try; nothing is lost."""

import subprocess
import sys

import pytest
import torch

from gradlab.models import MLP
from gradlab.training import CrossEntropy, Recipe, fit
from gradlab.types import UserError

from .examples import CLASSES, SHAPE, blobs

DATA = blobs()
RECIPE = Recipe(epochs=3, batch_size=32)


class Failing(CrossEntropy):
    """Raises an error in the step that is asked for."""

    def __init__(self, error, step):
        super().__init__()
        self.error, self.step = error, step

    def __call__(self, forward, batch):
        if batch.step >= self.step:
            raise self.error
        return super().__call__(forward, batch)

    def __repr__(self):
        return "Failing()"  # as the same objective to a checkpoint


def net():
    return MLP(width=4).build(SHAPE, CLASSES, seed=0)


ERRORS = {
    "python": MemoryError(),
    "cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
        "99 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "c++": RuntimeError("std::bad_alloc"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_one_sentence_names_the_batch_and_those_to_try(kind):
    with pytest.raises(UserError, match=r"suffice for steps of 32 images; try a batch size of 16 or 8\.$"):
        fit(net(), DATA, RECIPE, objective=Failing(ERRORS[kind], 0), progress=False)


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match=r"^something else$"):
        fit(net(), DATA, RECIPE, objective=Failing(RuntimeError("something else"), 0), progress=False)


def test_a_batch_of_one_asks_for_a_smaller_network():
    recipe = Recipe(epochs=1, batch_size=1)
    with pytest.raises(UserError, match="does not suffice for a single image a step; take a smaller network"):
        fit(net(), DATA, recipe, objective=Failing(MemoryError(), 0), progress=False)


def test_finished_epochs_are_kept_and_the_run_goes_on_from_there(tmp_path):
    file, steps = tmp_path / "c", -(-len(DATA.train) // 32)
    failing = Failing(ERRORS["cuda"], steps + 1)
    with pytest.raises(
        UserError, match=r"finished epochs are kept in .*c, which belongs to this batch size alone"
    ):
        fit(net(), DATA, RECIPE, objective=failing, checkpoint=file, progress=False)
    failing.step = 10**9
    resumed = fit(net(), DATA, RECIPE, objective=failing, checkpoint=file, progress=False)
    whole = fit(net(), DATA, RECIPE, progress=False)
    assert torch.equal(resumed.model.head.weight, whole.model.head.weight)


SHORT = """
import resource, torch
from pathlib import Path
from gradlab.data import from_tensors
from gradlab.models import CNN
from gradlab.training import Recipe, fit
from gradlab.types import UserError

torch.set_num_threads(1)
data = from_tensors(torch.zeros(1200, 1, 32, 32, dtype=torch.uint8), torch.arange(1200) % 2)
model = CNN(widths=(64,), blocks=1).build((1, 32, 32), 2, seed=0)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20,) * 2)
try:
    fit(model, data, Recipe(epochs=1, batch_size=1000), progress=False)
except UserError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process is Linux's")
def test_a_process_whose_memory_is_limited_says_it_as_well():
    answer = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True, check=True)
    sentence = "the memory of this machine does not suffice for steps of 1000 images; try a batch size of 500 or 250.\n"
    assert answer.stdout == sentence, answer.stderr
