"""Masking: which tokens, how many, and what becomes of them, against counting."""

import torch

from gradlab.language import mask_tokens

SPECIAL, VOCAB = (0, 1, 2, 3, 4), 50


def batch(count=2000, length=22):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, VOCAB, (count, length), generator=generator)
    sizes = torch.randint(3, length + 1, (count,), generator=generator)
    mask = (torch.arange(length) < sizes[:, None]).long()
    ids[:, 0] = 2
    ids[torch.arange(count), sizes - 1] = 3
    return ids * mask, mask, sizes


def masked(seed=0):
    ids, mask, sizes = batch()
    return mask_tokens(ids, mask, SPECIAL, VOCAB, torch.Generator().manual_seed(seed)), ids, sizes


def test_as_many_are_chosen_as_bert_chooses():
    made, _, sizes = masked()
    assert made.counts.tolist() == [max(1, round(0.15 * (size - 2))) for size in sizes.tolist()]
    assert made.places.shape[1] == int(made.counts.max())
    assert torch.equal(made.meant.sum(1), made.counts)


def test_only_tokens_that_stand_for_text_are_chosen_each_once_and_targets_are_what_stood_there():
    made, ids, sizes = masked()
    for row in range(len(ids)):
        places = made.places[row, : made.counts[row]].tolist()
        assert places == sorted(set(places))
        assert places[0] >= 1
        assert places[-1] <= sizes[row] - 2
        assert made.targets[row, : made.counts[row]].tolist() == ids[row, places].tolist()
        others = [place for place in range(ids.shape[1]) if place not in places]
        assert made.ids[row, others].tolist() == ids[row, others].tolist()


def test_eighty_percent_become_the_mask_ten_another_token_and_ten_stay():
    """About 5,000 choices: shares within four standard errors; a random token is the same again once in 45."""
    made, ids, _ = masked()
    rows = torch.arange(len(ids))[:, None].expand_as(made.places)[made.meant]
    put, stood = made.ids[rows, made.places[made.meant]], made.targets[made.meant]
    count = len(put)
    assert abs(float((put == 4).double().mean()) - 0.8) < 4 * (0.16 / count) ** 0.5
    kept = 0.1 + 0.1 / (VOCAB - 5)
    assert abs(float((put == stood).double().mean()) - kept) < 4 * (0.09 / count) ** 0.5
    drawn = put[(put != 4) & (put != stood)]
    assert set(drawn.tolist()) <= set(range(5, VOCAB))
    assert len(set(drawn.tolist())) == VOCAB - 5


def test_every_place_is_chosen_about_as_often():
    ids, mask = torch.full((6000, 12), 9), torch.ones(6000, 12)
    ids[:, 0], ids[:, -1] = 2, 3
    made = mask_tokens(ids, mask, SPECIAL, VOCAB, torch.Generator().manual_seed(3))
    counts = torch.bincount(made.places[made.meant], minlength=12)
    assert counts[0] == counts[-1] == 0
    assert (counts[1:-1] - 1200).abs().max() < 4 * (12_000 * 0.1 * 0.9) ** 0.5


def test_the_same_stream_masks_the_same_and_another_one_otherwise():
    first, again, other = masked()[0], masked()[0], masked(1)[0]
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first.places, other.places)


def test_a_text_of_nothing_but_its_ends_has_nothing_to_guess():
    ids, mask = torch.tensor([[2, 3, 0], [2, 7, 3]]), torch.tensor([[1, 1, 0], [1, 1, 1]])
    made = mask_tokens(ids, mask, SPECIAL, VOCAB, torch.Generator().manual_seed(0))
    assert made.counts.tolist() == [0, 1]
    assert made.ids[0].tolist() == [2, 3, 0]
