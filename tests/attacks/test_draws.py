import torch

from gradlab.attacks._draws import Draws
from tests.attacks.examples import generator, images


def test_an_image_draws_the_same_whichever_others_there_are_and_in_any_order():
    batch = images(6)
    together = Draws(batch, generator(3))
    whole = together.uniform(torch.arange(6), 2, 5)
    later = together.normal(torch.tensor([4, 1]), 3)
    alone = Draws(batch[[4, 2]], generator(3))
    assert torch.equal(alone.uniform(torch.tensor([1, 0]), 2, 5), whole[[2, 4]])
    assert torch.equal(alone.normal(torch.tensor([0]), 3), later[:1])


def test_what_was_drawn_before_does_not_matter_and_the_seed_does():
    batch, used = images(2), generator(3)
    torch.rand(5, generator=used)
    rows = torch.arange(2)
    first, second, other = (Draws(batch, one).uniform(rows, 4) for one in (generator(3), used, generator(4)))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(Draws(batch, None).uniform(rows, 4), Draws(batch, generator(0)).uniform(rows, 4))
