import pytest
import torch

from gradlab.attacks import FAB, DeepFool, deepfool
from tests.attacks.examples import images, labels_of, linear, small


def test_of_several_classes_it_takes_the_nearest():
    model, batch = linear(classes=5), images(30) * 0.2 + 0.4
    labels = labels_of(model, batch)
    closest = DeepFool(overshoot=0.02).closest(model, batch, labels)
    weight, logits = model[1].weight.detach(), model(batch).detach()
    for row in range(30):
        y = int(labels[row])
        ways = [
            float(logits[row, y] - logits[row, k]) / float((weight[y] - weight[k]).norm())
            for k in range(5)
            if k != y
        ]
        if min(ways) < 0.5:
            assert float(closest.distance[row]) == pytest.approx(1.02 * min(ways), rel=1e-6)
    assert int(closest.found(0.5).iterations.max()) == 1


def test_it_equals_foolbox():
    foolbox = pytest.importorskip("foolbox", reason="foolbox is not installed")
    model, batch = small(dtype=torch.float32), images(30, dtype=torch.float32) * 0.4 + 0.3
    labels = labels_of(model, batch)
    ours = DeepFool(steps=50, overshoot=0.02).closest(model, batch, labels)
    attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=4, overshoot=0.02, loss="logits")
    wrapped = foolbox.PyTorchModel(model.eval(), bounds=(0, 1))
    _, theirs, won = attack(wrapped, batch, labels, epsilons=[10.0])
    length = (theirs[0] - batch).flatten(1).norm(dim=1)
    assert won.all()
    assert (ours.distance <= length * 1.05).double().mean() > 0.9


def test_few_classes_and_few_steps_are_enough_or_said():
    model, batch = small(), images(30)
    labels = labels_of(model, batch)
    settings = {"norm": "l2", "overshoot": 0.02, "steps": 50}
    all_, one = (deepfool(model, batch, labels, classes=count, **settings) for count in (10, 1))
    assert (all_.distance <= one.distance * 1.2).double().mean() > 0.9
    cut = DeepFool(steps=1, overshoot=0).closest(model, batch, labels)
    assert cut.distance.isinf().any()
    assert torch.equal(cut.images[cut.distance.isinf()], batch[cut.distance.isinf()])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pixels_at_0_and_1_leave_the_way_to_the_others(norm):
    """All pixels lie at a border, so that the way of the unbounded algorithm is cut off; FAB reaches every image."""
    model, batch = small(dtype=torch.float32), images(40, dtype=torch.float32).round()
    labels = labels_of(model, batch)
    ours, theirs = (
        one.closest(model, batch, labels) for one in (DeepFool(norm=norm), FAB(norm=norm, steps=30))
    )
    assert theirs.distance.isfinite().all()
    assert ours.distance.isfinite().all()
    assert (labels_of(model, ours.images) != labels).all()
    assert (ours.distance / theirs.distance).median() < 1.5
    alone = DeepFool(norm=norm).closest(model, batch[3:4], labels[3:4])
    torch.testing.assert_close(alone.images[0], ours.images[3], rtol=0, atol=1e-5)
