"""What is counted, over what, and on which image."""

import logging

import pytest
import torch
from torch import nn

from gradlab.attacks import FGSM, PGD, attacked
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, linear, small


def test_success_is_counted_over_initially_correct_images_on_the_final_image():
    model, batch = small(), images(50)
    labels = labels_of(model, batch)
    labels[:20] = (labels[:20] + 1) % 4
    found = attacked(PGD(eps=0.08), model, batch, labels, generator=generator(), batch_size=16)
    now = labels_of(model, found.images)
    assert found.is_attackable.tolist() == [False] * 20 + [True] * 30
    assert torch.equal(found.adversarial_predictions, now)
    succeeded = int((now[20:] != labels[20:]).sum())
    assert 0 < succeeded < 30
    assert found.successes == (succeeded, 30)
    assert found.robust_accuracy == pytest.approx((30 - succeeded) / 50)


def test_a_targeted_success_is_the_target_and_nothing_else():
    model, batch = small(), images(40)
    labels = labels_of(model, batch)
    targets = (labels + 2) % 4
    found = attacked(PGD(eps=0.06), model, batch, labels, targets=targets, generator=generator())
    now = labels_of(model, found.images)
    assert ((now != labels) & (now != targets)).any()
    assert torch.equal(found.is_success, now == targets)


def test_norms_are_those_of_the_change():
    model, batch = small(dtype=torch.float32), images(9, dtype=torch.float32)
    found = attacked(FGSM(eps=0.05), model, batch, labels_of(model, batch))
    change = (found.images - batch).double().flatten(1)
    torch.testing.assert_close(found.linf, change.abs().amax(1))
    torch.testing.assert_close(found.l2, (change**2).sum(1).sqrt())
    assert float(found.linf.max()) <= 0.05


@pytest.mark.parametrize("size", [1, 7, 30, 100])
def test_the_size_of_the_batches_changes_nothing_where_nothing_is_random(size):
    model, batch = small(), images(30)
    labels = labels_of(model, batch)
    whole = attacked(FGSM(), model, batch, labels)
    parts = attacked(FGSM(), model, batch, labels, batch_size=size)
    assert torch.equal(whole.images, parts.images)
    torch.testing.assert_close(whole.clean_logits, parts.clean_logits)
    assert len(parts.adversarial_logits) == 30


def test_an_attack_that_changes_nothing_succeeds_nowhere():
    model, batch = small(), images(10)
    found = attacked(lambda _model, batch, _labels, **_: batch, model, batch, labels_of(model, batch))
    assert found.successes == (0, 10)
    assert found.robust_accuracy == 1


def test_probabilities_and_zero_gradients_are_flagged_and_said(caplog):
    batch = images(10)
    sure = linear(classes=3)
    model = nn.Sequential(sure, nn.Softmax(1))
    with caplog.at_level(logging.WARNING, "gradlab"):
        found = attacked(FGSM(), model, batch, labels_of(model, batch))
    assert found.probabilities
    assert "outputs look like probabilities; give the logits" in caplog.text
    assert not attacked(FGSM(), sure, batch, labels_of(sure, batch)).probabilities
    with torch.no_grad():
        sure[1].weight *= 1e4  # the cross-entropy of a sure model has no slope left
    found = attacked(FGSM(), sure, batch, labels_of(sure, batch))
    assert found.is_blind.any()


def test_no_images_are_refused():
    model, batch = small(), images(3)
    with pytest.raises(UserError, match="at least one image and a batch size of at least 1, got 0 images"):
        attacked(FGSM(), model, batch[:0], labels_of(model, batch)[:0])
    with pytest.raises(UserError, match="got 3 images and 0"):
        attacked(FGSM(), model, batch, labels_of(model, batch), batch_size=0)
