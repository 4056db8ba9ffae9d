import math

import pytest
import torch
from transformers.models.clip.modeling_clip import image_text_contrastive_loss

from gradlab.clip import Contrastive, PairFeed, contrastive_losses
from gradlab.clip.pretrain import captions_of, pair_feeds
from gradlab.training.objective import Batch
from tests.clip.examples import NAMES, colours, tiny


def logits(count: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_where_all_captions_differ_it_is_the_loss_of_clip():
    found = logits()
    assert torch.allclose(
        contrastive_losses(found, torch.arange(6)).mean(), image_text_contrastive_loss(found.T)
    )


def test_equal_captions_share_the_target():
    """Eq. 2 of UniCL by plain loops."""
    found, labels = logits().tolist(), [0, 1, 0, 2, 1, 0]
    total = 0.0
    for i, label in enumerate(labels):
        same = [j for j, other in enumerate(labels) if other == label]
        row = math.log(sum(math.exp(one) for one in found[i]))
        column = math.log(sum(math.exp(one[i]) for one in found))
        total += sum(row - found[i][j] for j in same) / len(same) / 2
        total += sum(column - found[j][i] for j in same) / len(same) / 2
    mine = contrastive_losses(logits(), torch.tensor(labels)).sum()
    assert math.isclose(float(mine), total, rel_tol=1e-12)


def test_swapping_two_equal_captions_changes_nothing():
    found, labels = logits(), torch.tensor([0, 1, 0, 2, 1, 3])
    swapped = found[:, [2, 1, 0, 3, 4, 5]]
    assert torch.allclose(
        contrastive_losses(found, labels).mean(), contrastive_losses(swapped, labels).mean()
    )


def test_a_training_batch_hits_where_the_nearest_caption_is_of_the_class():
    labels = torch.tensor([[0, 0, 1]])
    outputs = torch.tensor([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]])
    batch = Batch({}, labels, (0,), 0)
    assert Contrastive().measure(outputs, batch)["accuracy"].tolist() == [[True, False, True]]


def feeds(flips: bool = True) -> tuple[PairFeed, PairFeed]:
    return pair_feeds(tiny(), colours(), flips=flips)


@pytest.mark.parametrize("flips", [True, False])
def test_every_image_comes_once_an_epoch_with_a_caption_of_its_class(flips):
    train, _ = feeds(flips)
    first, again, later = (train.order(5, epoch, 16) for epoch in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert sorted((first % len(train)).tolist()) == list(range(48))
    assert first.max() < len(train.labels)
    batch = train.batch(first[None, :16])
    pixels = colours().train.images[first[:16] % 48] / 255
    texts = tiny().tokenizer.batch_decode(batch["input_ids"][0], skip_special_tokens=True)
    plain = [" ".join(one.replace(" .", ".").split()) for one in texts]
    mirrored = 0
    for place, label in enumerate(train.labels[first[:16]].tolist()):
        assert label == colours().train.labels[first[place] % 48]
        assert plain[place] in [one.replace(" .", ".") for one in captions_of(NAMES)[label]]
        is_same = torch.allclose(batch["images"][0, place], pixels[place])
        assert is_same or torch.allclose(batch["images"][0, place].flip(-1), pixels[place])
        mirrored += not is_same
    assert bool(mirrored) == flips
    assert len(set(plain)) > 8


def test_validation_asks_all_images_about_the_first_caption_of_every_class():
    _, validation = feeds()
    indices, inputs = zip(*validation.parts(), strict=True)
    assert torch.cat(indices).tolist() == list(range(24))
    wanted = tiny().tokens([one[0] for one in captions_of(NAMES)])["input_ids"]
    assert torch.equal(inputs[0]["input_ids"][:, : wanted.shape[1]], wanted)
    assert len(validation.labels) == 24


def test_other_captions_are_another_feed():
    train, _ = feeds()
    assert train.digest() == feeds()[0].digest()
    changed = train.captions.clone()
    changed[0, 0, 1] += 1
    assert PairFeed(train.split, changed, train.mask).digest() != train.digest()
    assert feeds(flips=False)[0].digest() != train.digest()
