import torch

from gradlab.attacks import FGSM, PGD, Square, ensemble
from tests.attacks.examples import generator, images, labels_of, small


def test_it_is_the_worst_case_of_each_image_and_tells_which_attack_won():
    model, batch = small(seed=0), images(100)
    labels = labels_of(model, batch)
    labels[:3] = (labels[:3] + 1) % 4
    attacks = (FGSM(eps=0.08), PGD(eps=0.08, random_start=False), Square(eps=0.08, queries=30))
    found = ensemble(attacks, model, batch, labels, generator=generator())
    alone = [labels_of(model, attack(model, batch, labels)) != labels for attack in attacks[:2]]
    assert found.iterations[:3].tolist() == [0, 0, 0]
    assert torch.equal(found.iterations[3:] == 1, alone[0][3:])
    assert torch.equal(found.iterations[3:] == 2, alone[1][3:] & ~alone[0][3:])
    assert (found.iterations == 2).any()
    assert torch.equal(labels_of(model, found.images) != labels, found.iterations >= 0)
    stands = found.iterations < 0
    assert torch.equal(found.images[stands], batch[stands])
    assert (found.queries[stands] == 2 + 11 + 30).all()


def test_an_attack_is_given_only_what_still_stands():
    model, batch = small(), images(50)
    labels, seen = labels_of(model, batch), []
    model.register_forward_pre_hook(lambda _model, inputs: seen.append(len(inputs[0])))
    found = ensemble((FGSM(eps=0.05), FGSM(eps=0.1)), model, batch, labels)
    assert seen == [50, 50, *[int((found.iterations != 1).sum())] * 2]
