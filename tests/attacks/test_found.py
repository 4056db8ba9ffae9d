import pytest
import torch

from gradlab.attacks import PGD, Explorer, Found
from gradlab.attacks.found import Tally
from tests.attacks.examples import generator, images, labels_of, small


def test_counts_end_with_the_first_success():
    tally = Tally.of(torch.zeros(3, 1, 1, 1))
    every = torch.arange(3)
    tally.count(every, torch.tensor([True, False, False]), 0)
    tally.count(every, torch.tensor([False, True, False]), 1)
    tally.count(every[1:], torch.tensor([True, False]), 2, queries=5)
    assert tally.iterations.tolist() == [0, 1, -1]
    assert tally.queries.tolist() == [1, 2, 7]
    assert tally.is_done.tolist() == [True, True, False]


def test_calling_a_configuration_gives_the_images_that_it_explores():
    model, batch = small(), images(6)
    labels, attack = labels_of(model, batch), PGD(steps=2)
    found = attack.explore(model, batch, labels, generator=generator())
    assert isinstance(found, Found)
    assert torch.equal(attack(model, batch, labels, generator=generator()), found.images)


def test_an_attack_without_explore_says_what_is_missing():
    class Mine(Explorer):
        pass

    with pytest.raises(NotImplementedError, match="Mine names no function as its `attack`; see"):
        Mine()(small(), images(1), torch.zeros(1, dtype=torch.int64))
