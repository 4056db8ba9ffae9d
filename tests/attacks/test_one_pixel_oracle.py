"""Every one-pixel change, counted, and against a plain loop."""

import itertools

import pytest
import torch

from gradlab.attacks import one_pixel_oracle
from gradlab.types import UserError
from tests.attacks.examples import images, labels_of, small

LEVELS = (0, 0.5, 1)


def by_loop(model, image, label):
    """Whether some change is a success, and the lowest probability of the label."""
    model.eval()
    lowest, reached = 1.0, False
    for y, x in itertools.product(range(4), range(5)):
        for colour in itertools.product(LEVELS, repeat=2):
            one = image.clone()
            one[:, y, x] = torch.tensor(colour, dtype=image.dtype)
            logits = model(one[None])[0].detach()
            lowest = min(lowest, float(logits.softmax(0)[label]))
            reached |= int(logits.argmax()) != int(label)
    return reached, lowest


def test_it_is_the_best_of_a_plain_loop():
    model, batch = small(), images(6)
    labels = labels_of(model, batch)
    found = one_pixel_oracle(model, batch, labels, levels=LEVELS)
    model.eval()
    for row in range(6):
        reached, lowest = by_loop(model, batch[row], labels[row])
        assert (found.iterations[row] >= 0) == reached
        assert ((found.images[row] != batch[row]).any(0)).sum() <= 1
        if not reached:
            logits = model(found.images[row : row + 1])[0].detach()
            assert float(logits.softmax(0)[labels[row]]) == pytest.approx(lowest)
            assert found.queries[row] == 1 + 20 * 9


def test_targets_are_reached_where_one_pixel_can():
    model, batch = small(), images(40)
    labels = labels_of(model, batch)
    targets = (labels + 1) % 4
    found = one_pixel_oracle(model, batch, labels, levels=LEVELS, targets=targets)
    assert torch.equal(labels_of(model, found.images) == targets, found.iterations >= 0)
    assert 0 < (found.iterations >= 0).sum() < 40


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [((), r"such as \(0, 0.5, 1\)"), ((0, 8), r"got \(0, 8\)"), (range(2), "are 1,048,576 changes")],
)
def test_what_cannot_be_tried_is_refused(levels, sentence):
    model, batch = small(), images(1)
    if len(levels) == 2 and levels[1] == 1:
        batch = torch.zeros(1, 20, 1, 1)
    with pytest.raises(UserError, match=sentence):
        one_pixel_oracle(model, batch, torch.zeros(1, dtype=torch.int64), levels=list(levels))
