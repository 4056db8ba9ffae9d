"""Learning rates against closed forms and PyTorch's own schedulers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.training import Cosine, Linear, OneCycle, StepDecay
from gradlab.training.schedule import rate_factor

STEPS, EPOCHS = 7, 6
TOTAL = STEPS * EPOCHS


def factors(schedule):
    return [rate_factor(schedule, step, STEPS, EPOCHS) for step in range(TOTAL)]


def torch_factors(make, per_epoch=False):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for step in range(TOTAL):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < TOTAL - 1 and (not per_epoch or (step + 1) % STEPS == 0):
            scheduler.step()
    return found


def test_no_schedule_is_constant():
    assert factors(None) == [1.0] * TOTAL


def test_step_decay_is_pytorch_s_step_lr():
    expected = torch_factors(lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.3), per_epoch=True)
    assert factors(StepDecay(every=2, gamma=0.3)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine_is_pytorch_s_cosine_annealing_down_to_the_last_step(floor):
    make = lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, TOTAL - 1, eta_min=floor)  # noqa: E731
    assert factors(Cosine(floor=floor)) == pytest.approx(torch_factors(make), rel=1e-9, abs=1e-12)


def test_one_cycle_is_pytorch_s_with_the_peak_at_the_same_step():
    warm = 10 / (TOTAL - 1)
    schedule = OneCycle(warm=warm, start_divisor=20, end_divisor=1000)
    make = lambda o: torch.optim.lr_scheduler.OneCycleLR(  # noqa: E731
        o,
        1.0,
        total_steps=TOTAL,
        pct_start=11 / TOTAL,
        div_factor=20,
        final_div_factor=50,
        cycle_momentum=False,
    )
    assert factors(schedule) == pytest.approx(torch_factors(make), rel=1e-9)


@given(
    warm=st.floats(0, 1),
    start=st.floats(1, 100),
    end=st.floats(1, 1e5),
    steps=st.integers(1, 9),
    epochs=st.integers(1, 9),
)
def test_one_cycle_starts_peaks_and_ends_where_it_says(warm, start, end, steps, epochs):
    schedule = OneCycle(warm=warm, start_divisor=start, end_divisor=end)
    total = steps * epochs
    found = [rate_factor(schedule, step, steps, epochs) for step in range(total)]
    assert all(min(1 / start, 1 / end) - 1e-12 <= factor <= 1 + 1e-12 for factor in found)
    if 0 < warm < 1 and total > 1:
        assert found[0] == pytest.approx(1 / start)
        assert found[-1] == pytest.approx(1 / end, abs=1e-6)
    turns = [
        step for step in range(1, total - 1) if found[step] < min(found[step - 1], found[step + 1]) - 1e-9
    ]
    assert not turns  # up, then down


def test_the_cosine_is_half_way_down_in_the_middle():
    assert rate_factor(Cosine(), 50, 101, 1) == pytest.approx(0.5)
    assert rate_factor(Cosine(floor=0.2), 25, 101, 1) == pytest.approx(
        0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2
    )


@pytest.mark.parametrize("schedule", [Cosine(), OneCycle(), StepDecay()])
def test_a_training_of_one_step_has_a_rate(schedule):
    assert 0 < rate_factor(schedule, 0, 1, 1) <= 1


def test_lines_are_numpy_s_interpolation():
    for warm, floor in ((0.0, 0.0), (0.0, 0.25), (1 / 3, 0.1)):
        rising = round(warm * TOTAL)
        up = np.linspace(0, 1, rising + 1)[1:]
        down = np.linspace(1, floor, TOTAL - rising + 1)[:-1]
        assert factors(Linear(warm=warm, floor=floor)) == pytest.approx([*up, *down], rel=1e-12)


@pytest.mark.parametrize("warm", [0.1, 0.25, 0.5, 0.99])
@pytest.mark.parametrize("steps", [3, 5, 26, 101])
def test_no_step_of_lines_exceeds_the_peak_where_the_rise_ends_between_two_steps(warm, steps):
    rates = [rate_factor(Linear(warm=warm), step, steps, 1) for step in range(steps)]
    assert 0 < min(rates) <= max(rates) <= 1
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
