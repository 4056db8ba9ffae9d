"""Stopping at the first success fools the same images as taking every step, and who needs every step takes it."""

from dataclasses import replace

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from gradlab.attacks import ATTACKS, FGSM, PGD, IterativeFGSM, MixedTraining, MomentumFGSM, attacked
from gradlab.attacks.every_step import every_step
from gradlab.explain import Saliency
from gradlab.procedures import Disturb
from tests.attacks.examples import generator, images, labels_of, linear, small
from tests.procedures.examples import NET

ROWS = 30


class Curved(nn.Module):
    """A sine of the pixels, so that the loss rises and falls along the way of an attack."""

    def __init__(self, seed):
        super().__init__()
        self.head = linear(classes=3, seed=seed)

    def forward(self, batch):
        return self.head(torch.sin(25 * batch))


NETWORKS = {
    "small": lambda seed: small(seed=seed),
    "linear": lambda seed: linear(classes=3, seed=seed),
    "curved": Curved,
}
STOPPING = {
    "pgd": PGD(eps=0.02, steps=6),
    "pgd, from the image": PGD(eps=0.02, steps=6, random_start=False),
    "pgd, no step": PGD(eps=0.1, steps=0),
    "pgd, restarts": PGD(eps=0.02, steps=4, restarts=3),
    "pgd, one step, restarts": PGD(eps=0.03, steps=1, restarts=4),
    "pgd, l2": PGD(eps=0.12, norm="l2", steps=6),
    "pgd, l2, restarts": PGD(eps=0.12, norm="l2", steps=4, restarts=2),
    "pgd, l2, constant": PGD(eps=0.12, norm="l2", steps=6, step_size=0.05),
    "pgd, l1": PGD(eps=0.4, norm="l1", steps=6),
    "pgd, l1, restarts": PGD(eps=0.4, norm="l1", steps=4, restarts=2),
    "iterative": IterativeFGSM(eps=0.02, steps=6),
    "momentum": MomentumFGSM(eps=0.02, steps=6, decay=0.8),
}


@pytest.mark.parametrize("targeted", [False, True], ids=["away", "towards"])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", STOPPING)
def test_the_same_images_withstand_with_a_stop_and_without(name, network, targeted):
    """In float64: the very same images withstand, at the same place; successes are told alike, and lose no less."""
    stopping, fooled = STOPPING[name], 0
    for seed in range(6):
        model, batch = NETWORKS[network](seed), images(ROWS, seed=100 + seed)
        labels = labels_of(model, batch)
        labels[:4] = (labels[:4] + 1) % 3  # some are wrong from the beginning
        targets = (labels + 1) % 3 if targeted else None
        first, strongest = (
            attacked(one, model, batch, labels, targets=targets, generator=generator(seed), batch_size=20)
            for one in (stopping, every_step(stopping))
        )
        assert first.robust_accuracy == strongest.robust_accuracy
        assert torch.equal(first.is_success, strongest.is_success)
        assert torch.equal(first.iterations, strongest.iterations)
        assert torch.equal(first.queries, strongest.queries)
        open_ = first.iterations < 0
        torch.testing.assert_close(
            first.images[open_], strongest.images[open_], rtol=0, atol=1e-9
        )  # other batches round otherwise
        wanted = labels if targets is None else targets
        before, after = (
            one.adversarial_logits.log_softmax(1).gather(1, wanted[:, None])[:, 0]
            for one in (first, strongest)
        )
        gain = after - before if targeted else before - after
        assert float(gain.min()) >= -1e-9
        fooled += int(first.is_success.sum())
    assert fooled > 8 or "no step" in name
    assert fooled < 6 * ROWS


@pytest.mark.parametrize("name", STOPPING)
def test_with_a_stop_an_image_does_not_depend_on_its_batch(name):
    """Drawn starts belong to a place in the batch, so that the other images are others, and not fewer."""
    model, batch = small(), images(ROWS)
    labels = labels_of(model, batch)
    others = batch.clone()
    others[1::2] = images(ROWS, seed=7)[1::2]
    told = labels_of(model, others)
    told[0::2] = labels[0::2]
    one, two = (
        STOPPING[name](model, *pair, generator=generator()) for pair in ((batch, labels), (others, told))
    )
    torch.testing.assert_close(one[0::2], two[0::2], rtol=0, atol=1e-12)


def test_attacks_by_steps_stop_by_default_and_the_others_have_no_such_setting():
    stopping = {kind for kind, attack in ATTACKS.items() if getattr(attack(), "stop_at_success", False)}
    assert stopping == {"pgd", "iterative-fgsm", "momentum-fgsm"}
    assert every_step(FGSM()) == FGSM()
    assert every_step(PGD(steps=3)) == PGD(steps=3, stop_at_success=False)
    assert every_step(PGD(norm="l2")).settings() == PGD(norm="l2").settings() | {"stop_at_success": False}


@pytest.mark.parametrize("attack", [PGD(steps=3), IterativeFGSM(), MomentumFGSM()], ids=lambda one: one.kind)
def test_training_and_maps_under_attack_take_every_step_and_their_records_say_so(attack):
    training = MixedTraining(attack=attack)
    disturb = Disturb(net=NET, data="stripes", method=Saliency(), by=attack, eps=0.1)
    for found in (training.attack, disturb.by):
        assert found == replace(attack, stop_at_success=False)
    assert TypeAdapter(MixedTraining).dump_python(training)["attack"]["stop_at_success"] is False
    assert training == MixedTraining(attack=replace(attack, stop_at_success=False))
