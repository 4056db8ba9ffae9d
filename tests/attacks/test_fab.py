import torch

from gradlab.attacks import FAB, PGD, DeepFool
from tests.attacks.examples import generator, images, labels_of, small


def ready(count=40):
    model, batch = small(), images(count)
    return model, batch, labels_of(model, batch)


def test_it_comes_nearer_than_deepfool_and_what_it_finds_is_wrong():
    model, batch, labels = ready()
    ours = FAB(steps=30).closest(model, batch, labels)
    other = DeepFool(norm="linf").closest(model, batch, labels)
    assert ours.distance.isfinite().all()
    assert (ours.distance / other.distance).median() < 1
    assert (labels_of(model, ours.images) != labels).all()
    change = (ours.images - batch).flatten(1).abs().amax(1)
    torch.testing.assert_close(change, ours.distance)


def test_within_a_radius_it_wins_what_the_search_without_one_wins():
    model, batch, labels = ready()
    closest = FAB(steps=15).closest(model, batch, labels)
    for eps in (0.01, 0.03, 0.06):
        stopped = FAB(steps=15, eps=eps).explore(model, batch, labels)
        whole = closest.found(eps)
        assert torch.equal(stopped.iterations, whole.iterations)
        assert (stopped.queries <= closest.queries).all()
        assert (stopped.queries < closest.queries).any()


def test_it_is_about_as_strong_as_pgd_with_restarts():
    model, batch, labels = ready(100)
    fooled = FAB(steps=30, eps=0.03).explore(model, batch, labels).iterations >= 0
    strong = PGD(steps=40, restarts=3, eps=0.03)(model, batch, labels, generator=generator())
    assert int(fooled.sum()) >= int((labels_of(model, strong) != labels).sum()) - 3
