import torch

from gradlab.attacks import CarliniWagner, DeepFool
from tests.attacks.examples import images, labels_of, small

QUICK = {"steps": 80, "searches": 6, "first_weight": 0.1}


def ready(count=30):
    model, batch = small(), images(count)
    return model, batch, labels_of(model, batch)


def test_it_finds_nearer_successes_than_deepfool():
    model, batch, labels = ready()
    ours = CarliniWagner(**QUICK).closest(model, batch, labels)
    other = DeepFool().closest(model, batch, labels)
    both = ours.distance.isfinite() & other.distance.isfinite()
    assert int(both.sum()) > 25
    assert (ours.distance / other.distance)[both].median() < 1
    assert (labels_of(model, ours.images) != labels)[ours.distance.isfinite()].all()


def test_confidence_is_by_how_much_the_other_class_leads():
    model, batch, labels = ready()
    closest = CarliniWagner(**QUICK, confidence=1.0).closest(model, batch, labels)
    found = closest.distance.isfinite()
    assert int(found.sum()) > 15
    top = model.eval()(closest.images[found]).detach().topk(2, dim=1)
    assert (top.values[:, 0] - top.values[:, 1] >= 1 - 1e-6).all() or (
        top.indices[:, 0] != labels[found]
    ).all()
    assert (closest.distance >= CarliniWagner(**QUICK).closest(model, batch, labels).distance - 1e-3)[
        found
    ].all()


def test_more_searches_come_nearer_and_what_is_wrong_already_stays():
    model, batch, labels = ready()
    labels[:4] = (labels[:4] + 1) % 4
    few, many = (
        CarliniWagner(**(QUICK | {"searches": count})).closest(model, batch, labels) for count in (2, 7)
    )
    assert (many.distance <= few.distance).all()
    assert (many.distance < few.distance).any()
    assert (many.distance[:4] == 0).all()
    assert torch.equal(many.images[:4], batch[:4])
