"""The same attacks by foolbox, torchattacks and the Adversarial Robustness Toolbox, as functions of images and labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

EPS, STEP, STEPS = 8 / 255, 2 / 255, 10
Attack = Callable[[Tensor, Tensor], Tensor]


def pgd_of_peers(network: nn.Module, eps: float = EPS, start: bool = True) -> dict[str, Attack]:
    """Return PGD-10 of each library, with a random start or without, steps of a quarter of the radius."""
    import foolbox
    import torchattacks
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    step = eps / 4
    bounded = foolbox.PyTorchModel(network.eval(), bounds=(0, 1))
    theirs = foolbox.attacks.LinfPGD(abs_stepsize=step, steps=STEPS, random_start=start)
    classifier = PyTorchClassifier(
        network, nn.CrossEntropyLoss(), input_shape=(3, 32, 32), nb_classes=10, clip_values=(0.0, 1.0), device_type="cpu"
    )  # fmt: skip
    art = ProjectedGradientDescentPyTorch(
        classifier, norm="inf", eps=eps, eps_step=step, max_iter=STEPS, num_random_init=int(start), batch_size=512,
        verbose=False,
    )  # fmt: skip
    return {
        "torchattacks": torchattacks.PGD(network, eps=eps, alpha=step, steps=STEPS, random_start=start),
        "foolbox": lambda images, labels: theirs(bounded, images, labels, epsilons=eps)[1],
        "ART": lambda images, labels: torch.from_numpy(art.generate(images.numpy(), labels.numpy())),
    }


def fgsm_of_peers(network: nn.Module) -> dict[str, Attack]:
    """Return FGSM of each library."""
    import foolbox
    import torchattacks

    bounded = foolbox.PyTorchModel(network.eval(), bounds=(0, 1))
    theirs = foolbox.attacks.LinfFastGradientAttack()
    return {
        "torchattacks": torchattacks.FGSM(network, eps=EPS),
        "foolbox": lambda images, labels: theirs(bounded, images, labels, epsilons=EPS)[1],
    }


def strong_of_torchattacks(network: nn.Module, eps: float) -> dict[str, Attack]:
    """Return the attacks of AutoAttack and the whole, as torchattacks has them."""
    import torchattacks

    return {
        "apgd": torchattacks.APGD(network, eps=eps, steps=100, loss="ce", seed=0),
        "momentum_fgsm": torchattacks.MIFGSM(network, eps=eps, alpha=eps / 10, steps=10),
        "square": torchattacks.Square(network, eps=eps, n_queries=1000, seed=0, loss="margin"),
        "autoattack": torchattacks.AutoAttack(network, eps=eps, version="standard", n_classes=10, seed=0),
    }
