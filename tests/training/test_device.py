"""Devices and number formats: what this machine has not is refused before anything starts."""

import pytest
import torch

from gradlab.training import resolve_device
from gradlab.training.device import autocast


def test_auto_takes_the_best_device_there_is():
    kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert resolve_device().type == kind
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(
        ValueError, match="has no cuda device that PyTorch can use; run with --device cpu or auto"
    ):
        resolve_device(name)


@pytest.mark.parametrize(
    ("name", "words"), [("cudda", "did you mean 'cuda'"), ("tpu", "did you mean"), ("cpu:x", "write cuda:0")]
)
def test_an_unknown_device_is_refused_with_the_nearest(name, words):
    with pytest.raises(ValueError, match=words):
        resolve_device(name)


def test_fp16_on_a_cpu_and_unknown_formats_are_refused():
    with pytest.raises(
        ValueError, match="fp16 on a CPU is unusably slow; use --precision bf16 or fp32, or a GPU"
    ):
        autocast(torch.device("cpu"), "fp16")
    with pytest.raises(ValueError, match="unknown precision 'fp61'; did you mean 'fp"):
        autocast(torch.device("cpu"), "fp61")
    with pytest.raises(ValueError, match="an mps device computes no fp64"):
        autocast(torch.device("mps"), "fp64")


def test_bf16_is_autocast_and_fp32_is_not():
    weight = torch.rand(3, 3)
    with autocast(torch.device("cpu"), "bf16"):
        assert (weight @ weight).dtype == torch.bfloat16
    with autocast(torch.device("cpu"), "fp32"):
        assert (weight @ weight).dtype == torch.float32
