import math

import pytest
import torch

from gradlab.clip import SmallCLIP, build_small
from gradlab.types import UserError
from tests.clip.examples import CONFIG, colours, equal, state_of, tiny


def test_parameters_are_counted_by_formula():
    clip = tiny()
    count = sum(one.numel() for one in clip.parameters())
    assert count == CONFIG.parameter_count(8, len(clip.tokenizer))


def test_initial_bits_are_those_of_the_seed_and_the_global_stream_is_left_alone():
    before = torch.get_rng_state()
    again, other = (build_small(CONFIG, colours(), seed=seed) for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert equal(state_of(again), state_of(tiny()))
    assert not equal(state_of(other), state_of(tiny()))
    assert math.isclose(float(tiny().scale.detach()), 1 / 0.07, rel_tol=1e-5)


def test_what_does_not_divide_is_refused():
    with pytest.raises(UserError, match="image tower share its width evenly, got 5 heads for width 16"):
        SmallCLIP(width=16, heads=5)
    with pytest.raises(UserError, match="text tower share its width"):
        SmallCLIP(text_width=18, text_heads=4)
    with pytest.raises(UserError, match="patches of 4 pixels do not fill images of 10"):
        CONFIG.build(10, vocab=9, end=3, pad=0, seed=0)
