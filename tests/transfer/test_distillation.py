"""The loss of distillation against formulas of its own."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from scipy.stats import entropy
from torch.nn import functional

from gradlab.training import Objective
from gradlab.transfer import Distillation, distillation_loss
from gradlab.types import UserError

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = (3 * torch.randn(2, 5, 4, generator=GENERATOR, dtype=torch.float64) for _ in range(2))
LABELS = torch.randint(4, (2, 5), generator=GENERATOR)


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 0.0), (4.0, 0.3), (0.5, 0.9), (10.0, 0.0)])
def test_it_is_the_weighted_sum_of_cross_entropy_and_a_scaled_divergence(temperature, alpha):
    found = distillation_loss(STUDENT, TEACHER, LABELS, temperature=temperature, alpha=alpha)
    for place in np.ndindex(2, 5):
        student, teacher = STUDENT[place].numpy(), TEACHER[place].numpy()
        divergence = entropy(softmax(teacher / temperature), softmax(student / temperature))
        hard = -log_softmax(student)[int(LABELS[place])]
        wanted = alpha * hard + (1 - alpha) * temperature**2 * divergence
        assert float(found[place]) == pytest.approx(wanted, rel=1e-9)


def test_alpha_of_one_is_plain_cross_entropy_and_a_student_like_its_teacher_loses_nothing():
    plain = functional.cross_entropy(STUDENT.flatten(0, 1), LABELS.flatten(), reduction="none").view(2, 5)
    assert torch.equal(distillation_loss(STUDENT, TEACHER, LABELS, temperature=3, alpha=1), plain)
    same = distillation_loss(STUDENT, STUDENT + 7, LABELS, temperature=3, alpha=0)
    torch.testing.assert_close(same, torch.zeros_like(same), atol=1e-12, rtol=0)


def test_the_gradient_keeps_its_size_at_every_temperature():
    """At high T it is (z - v) / K for logits of zero mean (Hinton et al., 2015, eq. 4), whatever T is."""
    centred, taught = STUDENT - STUDENT.mean(-1, keepdim=True), TEACHER - TEACHER.mean(-1, keepdim=True)
    for temperature in (1e4, 1e5):
        leaf = centred.clone().requires_grad_()
        distillation_loss(leaf, taught, LABELS, temperature=temperature, alpha=0).sum().backward()
        torch.testing.assert_close(leaf.grad, (centred - taught) / 4, rtol=1e-2, atol=1e-3)


def test_no_gradient_reaches_the_teacher():
    teacher = TEACHER.clone().requires_grad_()
    student = STUDENT.clone().requires_grad_()
    distillation_loss(student, teacher, LABELS, temperature=2, alpha=0.5).sum().backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_the_objective_is_known_by_what_its_teacher_says():
    one, same, other = (
        Distillation(table, 2.0, 0.5) for table in (TEACHER[0], TEACHER[0].clone(), STUDENT[0])
    )
    assert isinstance(one, Objective)
    assert repr(one) == repr(same) != repr(other)
    assert repr(one) != repr(Distillation(TEACHER[0], 3.0, 0.5))


@pytest.mark.parametrize(
    ("temperature", "alpha", "sentence"),
    [
        (0.0, 0.5, "positive number, got 0.0"),
        (float("inf"), 0.5, "temperature"),
        (1.0, 1.5, r"lies in \[0, 1\], got 1.5"),
    ],
)
def test_softness_that_is_none_is_refused(temperature, alpha, sentence):
    with pytest.raises(UserError, match=sentence):
        Distillation(TEACHER[0], temperature, alpha)
