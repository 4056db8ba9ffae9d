"""On a linear model of two classes the optimum is a formula; every attack by gradients reaches it."""

import pytest
import torch

from gradlab.attacks import APGD, FAB, FGSM, PGD, CarliniWagner, DeepFool, IterativeFGSM, MomentumFGSM
from tests.attacks.examples import EPS, generator, images, labels_of, linear, margin

ALL = {"stop_at_success": False}
LINF = (
    FGSM(eps=EPS), PGD(eps=EPS, **ALL), PGD(eps=EPS, random_start=False, **ALL), IterativeFGSM(eps=EPS, **ALL),
    MomentumFGSM(eps=EPS, **ALL), PGD(eps=EPS), PGD(eps=EPS, random_start=False), IterativeFGSM(eps=EPS), MomentumFGSM(eps=EPS),
    APGD(eps=EPS, random_start=False), APGD(eps=EPS, loss="dlr", random_start=False), APGD(eps=EPS),
)  # fmt: skip
L2 = (
    PGD(eps=0.3, norm="l2", steps=50, step_size=0.3, **ALL), PGD(eps=0.3, norm="l2", random_start=False, **ALL),
    PGD(eps=0.3, norm="l2", steps=20, **ALL), PGD(eps=0.3, norm="l2", steps=50, **ALL),
    PGD(eps=0.3, norm="l2", steps=50, step_size=0.3), PGD(eps=0.3, norm="l2", random_start=False), APGD(eps=0.3, norm="l2"),
    APGD(eps=0.3, norm="l2", loss="dlr", random_start=False),
    PGD(eps=0.3, norm="l2", steps=20), PGD(eps=0.3, norm="l2", steps=50),
)  # fmt: skip


def ready(inner=0.5):
    """No number within eps of the borders 0 and 1."""
    model, batch = linear(), images(30) * inner + (1 - inner) / 2
    labels = labels_of(model, batch)
    weight = model[1].weight.detach()
    return model, batch, labels, (weight[1] - weight[0])


def reaches(attack, reach):
    """The margin falls by `reach`, or the image is fooled before and left alone there."""
    model, batch, labels, _ = ready()
    before = margin(model, batch, labels)
    for targets in (None, 1 - labels):
        found = attack(model, batch, labels, targets=targets, generator=generator())
        after = margin(model, found, labels)
        least = torch.where(before - reach < 0, torch.zeros_like(before), before - reach)
        if isinstance(attack, APGD) or getattr(attack, "stop_at_success", False):
            assert (after <= least + 1e-9).all()
            after, before_reach = after[before > reach], (before - reach)[before > reach]
            assert len(after) > 3
            torch.testing.assert_close(after, before_reach)
        else:
            torch.testing.assert_close(after, before - reach)


@pytest.mark.parametrize("attack", LINF, ids=repr)
def test_in_l_infinity_the_margin_falls_by_eps_times_the_l1_norm(attack):
    reaches(attack, EPS * ready()[3].abs().sum())


@pytest.mark.parametrize("attack", L2, ids=repr)
def test_in_l2_the_margin_falls_by_eps_times_the_l2_norm(attack):
    reaches(attack, 0.3 * ready()[3].norm())


@pytest.mark.parametrize("random_start", [False, True])
def test_in_l1_the_margin_falls_by_eps_times_the_largest_weight(random_start):
    reaches(PGD(eps=0.2, norm="l1", random_start=random_start, steps=8, **ALL), 0.2 * ready()[3].abs().max())


def test_in_l1_the_next_numbers_follow_where_the_first_meet_the_border():
    """The best of all changes: largest weights first, each up to the border (a knapsack that may be cut)."""
    model, batch, labels, weight = ready()
    found = PGD(eps=1.5, norm="l1", random_start=False, steps=8, **ALL)(model, batch, labels)
    for row in range(len(batch)):
        towards = weight if labels[row] == 0 else -weight  # what raises the other class's logit
        left, gain, flat = 1.5, 0.0, batch[row].flatten()
        for k in towards.abs().argsort(descending=True).tolist():
            step = min(left, float(1 - flat[k] if towards[k] > 0 else flat[k]))
            left, gain = left - step, gain + step * float(towards[k].abs())
        fallen = margin(model, batch[row : row + 1], labels[row : row + 1]) - margin(
            model, found[row : row + 1], labels[row : row + 1]
        )
        assert float(fallen) == pytest.approx(gain, rel=1e-6)


@pytest.mark.parametrize(
    ("attack", "order", "slack"),
    [
        (DeepFool(), 2, 1.021),
        (DeepFool(norm="linf"), 1, 1.021),
        (FAB(steps=20), 1, 1.06),
        (FAB(steps=20, norm="l2"), 2, 1.06),
        (CarliniWagner(steps=150, searches=6, first_weight=0.1), 2, 1.06),
    ],
    ids=lambda value: repr(value),
)
def test_the_nearest_success_lies_where_the_formula_says(attack, order, slack):
    """Distance = margin / the dual norm of the weights; overshoot, or the last step before the border, on top."""
    model, batch, labels, weight = ready(0.2)
    closest = attack.closest(model, batch, labels)
    wanted = margin(model, batch, labels) / torch.linalg.vector_norm(weight, order)
    largest = wanted * (weight.abs().max() / weight.norm() if order == 2 else 1)
    inside = largest < 0.35  # no border in the way
    assert int(inside.sum()) > 10
    share = (closest.distance / wanted)[inside]
    assert float(share.min()) >= 1 - 1e-9
    assert float(share.max()) <= slack
    assert (labels_of(model, closest.images) != labels)[inside].all()
