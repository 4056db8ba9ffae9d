"""What bf16 costs here: units from the processor's flags, a measured ratio, and the line that says it."""

import pytest
import torch

from gradlab.training import Recipe, fit, number_format
from gradlab.training.number_format import bf16_units, precision_note
from gradlab.training.progress import describe

from .examples import blobs, small_cnn

CPU = torch.device("cpu")


def test_units_are_named_by_their_flags_the_fastest_first():
    assert bf16_units("fpu sse avx512f avx512_vnni") is None
    assert bf16_units("fpu avx512_bf16") == "AVX-512 BF16"
    assert bf16_units("avx512_bf16 amx_tile amx_bf16") == "AMX"
    assert bf16_units("fp asimd bf16 i8mm") == "BF16"
    assert bf16_units("") is None


@pytest.mark.parametrize(
    ("ratio", "units", "sentence"),
    [
        (0.414, "AMX", "bf16 takes 0.41 × the time of fp32 (AMX units)"),
        (2.26, None, "bf16 takes 2.3 × the time of fp32 (no bf16 units on this x86_64 processor); fp32 is faster here"),
    ],
)  # fmt: skip
def test_the_sentence_says_units_ratio_and_what_is_better(ratio, units, sentence, monkeypatch):
    monkeypatch.setattr(number_format, "_measured", lambda: ratio)
    monkeypatch.setattr(number_format, "bf16_units", lambda: units)
    monkeypatch.setattr(number_format.platform, "machine", lambda: "x86_64")
    assert precision_note("bf16", CPU) == sentence


def test_fp32_and_gpus_need_no_note():
    assert precision_note("fp32", CPU) == precision_note("bf16", torch.device("cuda")) == ""


def test_the_ratio_is_measured_once_and_leaves_the_random_state():
    number_format._measured.cache_clear()
    before = torch.get_rng_state()
    found = number_format._measured()
    assert 0.01 < found < 1000
    assert number_format._measured() == found
    assert torch.equal(torch.get_rng_state(), before)


def test_the_progress_of_a_bf16_run_says_it():
    heard = []
    recipe = Recipe(epochs=1, precision="bf16")
    fit(small_cnn(), blobs(), recipe, device="cpu", listeners=[heard.append], progress=False)
    assert heard[0].note.startswith("bf16 takes ")
    assert describe(heard[0]).endswith(heard[0].note)
