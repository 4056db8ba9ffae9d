import pytest
import torch

from gradlab.attacks._losses import check_two_classes, cross_entropy, dlr, margin
from gradlab.types import UserError
from tests.attacks.examples import generator


def case(classes=6, count=40):
    logits = torch.randn(count, classes, generator=generator(), dtype=torch.float64)
    labels = torch.randint(classes, (count,), generator=generator(1))
    return logits, labels, (labels + 1) % classes


def test_margin_is_positive_exactly_where_the_goal_is_reached():
    logits, labels, targets = case()
    assert torch.equal(margin(logits, labels, None) > 0, logits.argmax(1) != labels)
    assert torch.equal(margin(logits, labels, targets) > 0, logits.argmax(1) == targets)


def test_the_ratios_are_those_of_the_paper_row_by_row():
    logits, labels, targets = case()
    for row in range(len(logits)):
        z, y, t = logits[row].tolist(), int(labels[row]), int(targets[row])
        first, second, third, fourth = sorted(z, reverse=True)[:4]
        other = max(value for k, value in enumerate(z) if k != y)
        assert float(dlr(logits, labels, None)[row]) == pytest.approx(-(z[y] - other) / (first - third))
        wanted = -(z[y] - z[t]) / (first - (third + fourth) / 2)
        assert float(dlr(logits, labels, targets)[row]) == pytest.approx(wanted)
        assert second <= first


@pytest.mark.parametrize("classes", [2, 3, 4, 10])
def test_few_classes_have_a_slope_as_well(classes):
    """A ratio of two logits would be constant (auto-attack#70, #76)."""
    logits, _, _ = case(classes)
    labels = logits.argmax(1)  # what is right so far
    targets = (labels + 1) % classes
    logits.requires_grad_()
    for wanted in (None, targets):
        loss = dlr(logits, labels, wanted)
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        assert (gradient.abs().sum(1) > 1e-6).all()
        assert (loss < 0).all()


def test_the_ratio_does_not_see_a_scale_and_cross_entropy_loses_its_slope_by_it():
    logits, labels, _ = case()
    torch.testing.assert_close(dlr(logits * 1e4, labels, None), dlr(logits, labels, None))
    sure = (logits * 1e4).requires_grad_()
    right = logits.argmax(1) == labels
    (gradient,) = torch.autograd.grad(cross_entropy(sure, labels, None).sum(), sure)
    assert (gradient[right] == 0).all()


def test_one_output_is_refused_with_what_to_do():
    with pytest.raises(UserError, match="one sigmoid output"):
        check_two_classes(torch.zeros(3, 1))
