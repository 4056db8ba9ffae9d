"""Auto-PGD against a plain loop for one image, written from the paper."""

import pytest
import torch
from torch.nn import functional

from gradlab.attacks import APGD
from gradlab.attacks._apgd_run import checkpoints_of
from tests.attacks.examples import EPS, generator, images, labels_of, small


def plain(model, image, label, steps):
    """Algorithm 1 in L-infinity from the image itself; returns the point of the largest loss, or the first success."""

    def at(point):
        leaf = point.clone().requires_grad_()
        logits = model(leaf)
        loss = functional.cross_entropy(logits, label)
        return float(loss), torch.autograd.grad(loss, leaf)[0], int(logits.argmax()) != int(label)

    def inside(point):
        return torch.minimum(torch.maximum(point, image - EPS), image + EPS).clamp(0, 1)

    shares = [0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    checks = [int(round(share * steps, 9)) for share in shares[1:]]
    size, last, point = 2 * EPS, image, image
    loss, gradient, fooled = at(point)
    best = best_at_check = (loss, gradient, point)
    halved, rises, since = True, 0, 0
    for step in range(1, steps + 1):
        if fooled:
            return point
        ahead = inside(point + size * gradient.sign())
        mixed = ahead if step == 1 else inside(point + 0.75 * (ahead - point) + 0.25 * (point - last))
        last, point, before = point, mixed, loss
        loss, gradient, fooled = at(point)
        rises, since = rises + (loss > before), since + 1
        if loss > best[0]:
            best = loss, gradient, point
        if step in checks:
            if rises < 0.75 * since + 1e-9 or (not halved and best_at_check[0] == best[0]):
                size, halved = size / 2, True
                loss, gradient, point = best
            else:
                halved = False
            best_at_check, rises, since = best, 0, 0
    return point if fooled else best[2]


def test_it_is_the_published_algorithm_image_by_image():
    model, batch = small(), images(25)
    labels = labels_of(model, batch)
    found = APGD(eps=EPS, steps=100, random_start=False)(model, batch, labels)
    model.eval()
    for row in range(25):
        wanted = plain(model, batch[row : row + 1], labels[row : row + 1], 100)
        torch.testing.assert_close(found[row : row + 1], wanted, rtol=0, atol=1e-9)


def test_checkpoints_are_those_of_the_paper():
    """w_j = p_j·steps with p = 0, 0.22, then p_j + max(p_j - p_(j-1) - 0.03, 0.06)."""
    assert checkpoints_of(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert checkpoints_of(1) == [1]


def test_it_is_at_least_as_strong_as_pgd_of_as_many_steps():
    from gradlab.attacks import PGD

    model, batch = small(), images(150)
    labels = labels_of(model, batch)
    fooled = [
        int((labels_of(model, attack(model, batch, labels, generator=generator())) != labels).sum())
        for attack in (APGD(eps=0.04, steps=40), PGD(eps=0.04, steps=40))
    ]
    assert 10 < fooled[1] < 140
    assert fooled[0] >= fooled[1] - 1


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_every_other_class_is_tried_and_any_success_counts(norm):
    model, batch = small(), images(60)
    labels, eps = labels_of(model, batch), 0.04 if norm == "linf" else 0.25
    away, towards = (
        APGD(eps=eps, norm=norm, steps=20, loss="dlr", target_classes=count).explore(model, batch, labels)
        for count in (0, 9)
    )
    assert int((towards.iterations >= 0).sum()) >= int((away.iterations >= 0).sum())
    assert int(towards.iterations.max()) > 21  # the second class was needed
    assert int(towards.queries.max()) == 1 + 3 * 21  # four classes: three others


def test_a_scale_that_blinds_cross_entropy_does_not_blind_the_ratio():
    """Logits times 10⁴: the cross-entropy has no slope left (Carlini & Wagner on distillation)."""
    model, batch = small(), images(60)
    labels = labels_of(model, batch)
    with torch.no_grad():
        model[5].weight *= 1e4
        model[5].bias *= 1e4
    fooled = [
        int((APGD(eps=0.08, steps=20, loss=loss, random_start=False).explore(model, batch, labels).iterations >= 0).sum())
        for loss in ("ce", "dlr")
    ]  # fmt: skip
    assert fooled[0] == 0
    assert fooled[1] > 30
