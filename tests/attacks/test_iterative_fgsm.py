import torch

from gradlab.attacks import PGD, IterativeFGSM, fgsm
from tests.attacks.examples import EPS, generator, images, labels_of, small


def test_it_is_pgd_from_the_image_itself():
    model, batch = small(), images(30)
    labels = labels_of(model, batch)
    for fields in ({}, {"steps": 3, "step_size": 0.01}, {"stop_at_success": False}):
        ours = IterativeFGSM(**fields).explore(model, batch, labels, generator=generator())
        other = PGD(**fields, random_start=False).explore(model, batch, labels)
        assert torch.equal(ours.images, other.images)
        assert torch.equal(ours.iterations, other.iterations)


def test_one_step_of_eps_fools_what_fgsm_fools():
    model, batch = small(), images(60)
    labels = labels_of(model, batch)
    one = IterativeFGSM(steps=1, step_size=EPS).explore(model, batch, labels)
    other = fgsm(model, batch, labels, eps=EPS)
    assert torch.equal(one.iterations, other.iterations)
