import pytest
import torch
from torch.nn import functional

from gradlab.attacks import IterativeFGSM, MomentumFGSM, momentum_fgsm
from gradlab.types import UserError
from tests.attacks.examples import EPS, images, labels_of, small


def test_it_is_the_published_sum_written_out():
    """The last of all iterates, where the loss rose in every step, so that the worst is the last."""
    model, batch = small(), images(60)
    labels = labels_of(model, batch)
    found = MomentumFGSM(eps=EPS, steps=5, decay=1.0, stop_at_success=False)(model, batch, labels)
    model.eval()
    point, total, losses = batch, torch.zeros_like(batch), []
    for step in range(6):
        leaf = point.clone().requires_grad_()
        loss = functional.cross_entropy(model(leaf), labels, reduction="none")
        losses.append(loss.detach())
        if step < 5:
            (gradient,) = torch.autograd.grad(loss.sum(), leaf)
            total = total + gradient / gradient.abs().mean((1, 2, 3), keepdim=True)
            point = (point + EPS / 5 * total.sign()).clamp(0, 1)
    rising = (torch.stack(losses).diff(dim=0) > 0).all(0)
    assert rising.double().mean() > 0.8
    torch.testing.assert_close(found[rising], point[rising], rtol=0, atol=1e-12)


def test_without_decay_it_is_iterative_fgsm_and_with_it_another_attack():
    model, batch = small(), images(30)
    labels = labels_of(model, batch)
    fields = {"eps": 0.1, "steps": 6, "step_size": 0.02, "stop_at_success": False}
    plain = IterativeFGSM(**fields)(model, batch, labels)
    none, some = (MomentumFGSM(**fields, decay=decay)(model, batch, labels) for decay in (0, 1))
    assert torch.equal(none, plain)
    assert not torch.equal(some, plain)


def test_a_negative_decay_is_refused():
    with pytest.raises(UserError, match="decay must be at least 0"):
        MomentumFGSM(decay=-1)
    with pytest.raises(UserError, match="at least 0, got -1"):
        momentum_fgsm(
            small(), images(1), torch.zeros(1, dtype=torch.int64), eps=EPS, step_size=EPS, steps=1, decay=-1,
            stop_at_success=False,
        )  # fmt: skip
