import pytest
import torch
from torch.nn import functional

from gradlab.attacks import fgsm
from gradlab.types import UserError
from tests.attacks.examples import EPS, images, labels_of, small


def test_it_is_one_step_along_the_sign_of_the_gradient():
    model, batch = small(dtype=torch.float64), images()
    labels = labels_of(model, batch)
    found = fgsm(model, batch, labels, eps=EPS).images
    model.eval()
    leaf = batch.clone().requires_grad_()
    functional.cross_entropy(model(leaf), labels).backward()
    torch.testing.assert_close(found, (batch + EPS * leaf.grad.sign()).clamp(0, 1))


def test_it_equals_foolbox():
    foolbox = pytest.importorskip("foolbox", reason="foolbox is not installed")
    model, batch = small(dtype=torch.float32), images(30, dtype=torch.float32)
    labels = labels_of(model, batch)
    ours = fgsm(model, batch, labels, eps=EPS).images
    wrapped = foolbox.PyTorchModel(model.eval(), bounds=(0, 1))
    theirs, _, _ = foolbox.attacks.LinfFastGradientAttack()(wrapped, batch, labels, epsilons=EPS)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)  # one rounding of float32


def test_the_function_refuses_grey_levels_too():
    model, batch = small(), images()
    with pytest.raises(UserError, match="8/255"):
        fgsm(model, batch, labels_of(model, batch), eps=8)
