import logging

import torch
from torch import nn

from gradlab.attacks import APGD, PGD, AutoAttack
from tests.attacks.examples import generator, images, labels_of, small
from tests.attacks.test_square import Steps

QUICK = {"steps": 10, "queries": 40}


def test_no_member_and_no_pgd_fools_more_beyond_chance():
    model, batch = small(), images(150)
    labels = labels_of(model, batch)
    whole = AutoAttack(eps=0.03, **QUICK).explore(model, batch, labels, generator=generator())
    first = APGD(eps=0.03, steps=10).explore(model, batch, labels, generator=generator())
    other = PGD(eps=0.03, steps=40, restarts=3)(model, batch, labels, generator=generator())
    fooled = int((whole.iterations >= 0).sum())
    assert torch.equal(whole.iterations == 1, first.iterations > 0)
    assert fooled >= int((labels_of(model, other) != labels).sum()) - 1
    assert torch.equal(labels_of(model, whole.images) != labels, whole.iterations >= 0)


def test_two_classes_are_attacked_like_any_other_number():
    """With fewer than four classes the published losses fail (auto-attack#70, #76, #79)."""
    for classes in (2, 3):
        model, batch = small(classes=classes), images(40)
        labels = labels_of(model, batch)
        found = AutoAttack(eps=0.1, **QUICK).explore(model, batch, labels, generator=generator())
        assert int((found.iterations >= 0).sum()) > 25


def test_masked_gradients_are_said(caplog):
    model, batch = nn.Sequential(Steps(), small()), images(60)
    labels = labels_of(model, batch)
    with caplog.at_level(logging.WARNING, "gradlab"):
        AutoAttack(eps=0.1, steps=2, queries=60)(model, batch, labels, generator=generator())
    assert "Square, which sees no gradient, fooled" in caplog.text
    caplog.clear()
    AutoAttack(eps=0.1, **QUICK)(small(), batch, labels_of(small(), batch), generator=generator())
    assert "Square" not in caplog.text
