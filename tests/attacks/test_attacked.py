"""What is counted, over what, and on which image."""

import logging

import pytest
import torch
from torch import nn

from gradlab.attacks import FGSM, PGD, DeepFool, Square, attacked
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


class InPlace(nn.Module):
    """Shifts what it is given in place, as many networks do with their first layer."""

    def forward(self, values):
        return values.mul_(2).sub_(1)


@pytest.mark.parametrize(
    "attack", [FGSM(eps=0.05), PGD(eps=0.05), Square(eps=0.05, queries=20), DeepFool(eps=0.5)]
)
def test_a_network_that_works_in_place_changes_no_image(attack):
    batch = images(10)
    inner = linear(classes=3)
    model, plain = nn.Sequential(InPlace(), inner), nn.Sequential(Shift(), inner)
    labels = labels_of(plain, batch)
    ours, theirs = (
        attacked(attack, one, batch.clone(), labels, generator=generator()) for one in (model, plain)
    )
    assert torch.equal(ours.originals, batch)
    torch.testing.assert_close(ours.images, theirs.images)


class Shift(nn.Module):
    def forward(self, values):
        return values * 2 - 1


def test_an_attack_of_ones_own_must_return_images():
    model, batch = small(), images(3)
    labels = labels_of(model, batch)
    for made, sentence in ((batch + 1, "returns no images in"), (batch[:2], "an image for each")):
        with pytest.raises(UserError, match=sentence):
            attacked(lambda *_, made=made, **__: made, model, batch, labels)


def test_a_seed_a_class_another_number_format_and_several_outputs_are_refused():
    model, batch = small(dtype=torch.float32), images(3, dtype=torch.float32)
    labels = labels_of(model, batch)
    for generator_ in (0, 5):
        with pytest.raises(UserError, match=r"must be a torch.Generator, such as .*, got "):
            FGSM()(model, batch, labels, generator=generator_)
    with pytest.raises(UserError, match=r"bring the images to torch.float32"):
        FGSM()(model, batch.double(), labels)
    with pytest.raises(UserError, match="got the class Flatten"):
        FGSM()(nn.Flatten, batch, labels)
    pair = nn.Flatten()
    pair.forward = lambda values: (values.flatten(1), None)
    with pytest.raises(UserError, match="got tuple; let forward"):
        FGSM()(pair, batch, labels)
    with torch.inference_mode():
        made = linear()
    with pytest.raises(UserError, match="outside of it"):
        FGSM()(made, batch, labels)
    for wrong in ({"eps": True}, {"step_size": 0}):
        with pytest.raises(UserError, match=r"must be a number|goes nowhere"):
            PGD(**wrong)
