import pytest
import torch

from gradlab.attacks import choose_targets
from gradlab.attacks.targets import least_likely
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, small


def test_random_targets_are_uniform_over_the_other_classes():
    model, batch = small(), images(3000)
    labels = torch.arange(3000) % 4
    found = choose_targets("random", model, batch, labels, generator=generator())
    assert (found != labels).all()
    for label in range(4):
        counts = torch.bincount(found[labels == label], minlength=4)
        assert counts[label] == 0
        assert (counts[counts > 0] - 250).abs().max() < 5 * (750 * 2 / 9) ** 0.5
    assert torch.equal(found, choose_targets("random", model, batch, labels))
    assert not torch.equal(found, choose_targets("random", model, batch, labels, generator=generator(1)))


def test_one_class_and_the_least_likely_one():
    model, batch = small(), images(20)
    labels = labels_of(model, batch)
    assert set(choose_targets(3, model, batch, labels).tolist()) == {3}
    assert torch.equal(
        choose_targets("least-likely", model, batch, labels), least_likely(model, batch, labels)
    )
    assert choose_targets("random", model, batch[:0], labels[:0]).shape == (0,)


def test_another_word_is_refused():
    model, batch = small(), images(2)
    with pytest.raises(UserError, match="a class, 'least-likely' or 'random', got 'nearest'"):
        choose_targets("nearest", model, batch, labels_of(model, batch))
