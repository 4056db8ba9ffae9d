import pytest
import torch

from gradlab.attacks import PGD, least_likely, one_class
from gradlab.attacks.targets import likeliest_others
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, small


def test_the_least_likely_class_has_the_smallest_logit_and_is_never_the_label():
    model, batch = small(), images(40)
    labels = labels_of(model, batch)
    found = least_likely(model, batch, labels)
    assert torch.equal(found, model.eval()(batch).argmin(1))
    assert torch.equal(least_likely(model, batch, found) != found, torch.ones(40, dtype=torch.bool))
    assert least_likely(model, batch[:0], labels[:0]).shape == (0,)


def test_one_class_leaves_out_the_images_that_have_it():
    model, batch = small(), images(40)
    labels = labels_of(model, batch)
    rows, targets = one_class(labels, 1)
    assert rows.tolist() == [row for row in range(40) if labels[row] != 1]
    assert (targets == 1).all()
    assert 0 < len(rows) < 40
    PGD(steps=1)(model, batch[rows], labels[rows], targets=targets, generator=generator())


def test_a_class_that_all_have_or_none_can_have_is_refused():
    for labels, target in ((torch.tensor([2, 2]), 2), (torch.tensor([1]), -1)):
        with pytest.raises(UserError, match="choose another one"):
            one_class(labels, target)


def test_the_likeliest_others_fall_from_likeliest_and_leave_the_label_out():
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    assert likeliest_others(logits, torch.tensor([0, 2]), 9).tolist() == [[2, 1], [1, 0]]
    assert likeliest_others(logits, torch.tensor([1, 1]), 1).tolist() == [[0], [2]]
