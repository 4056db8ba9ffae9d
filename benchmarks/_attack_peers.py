"""The same attacks by foolbox, torchattacks and the Adversarial Robustness Toolbox, as functions of images and labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

EPS, STEP, STEPS = 8 / 255, 2 / 255, 10
Attack = Callable[[Tensor, Tensor], Tensor]
EVERY = {
    "FGSM": 1, "iterative FGSM": 10, "momentum FGSM": 10, "PGD": 40, "PGD, L2": 40, "DeepFool, L2": 50,
    "Carlini-Wagner, L2": 50,
}  # fmt: skip
"""Attacks that `attack_strength.py` compares, and their steps."""
LINF = ("FGSM", "iterative FGSM", "momentum FGSM", "PGD")


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
    """Return the attacks of AutoAttack and the whole, as torchattacks has them.

    Its AutoAttack takes 10 steps in Auto-PGD and FAB, the standard 100: it is put together here with these as well.
    """
    import torchattacks as ta

    shared = {"eps": eps, "seed": 0}
    parts = [
        ta.APGD(network, **shared, steps=100, loss="ce"),
        ta.APGDT(network, **shared, steps=100, n_classes=10),
        ta.FAB(network, **shared, steps=100, n_classes=10, multi_targeted=True),
        ta.Square(network, **shared, n_queries=5000),
    ]
    return {
        "apgd": parts[0],
        "momentum_fgsm": ta.MIFGSM(network, eps=eps, alpha=eps / 10, steps=10),
        "square": ta.Square(network, **shared, n_queries=1000, loss="margin"),
        "autoattack, 10 steps": ta.AutoAttack(network, **shared, version="standard", n_classes=10),
        "autoattack": ta.MultiAttack(parts),
    }


def attacks_of_peers(network: nn.Module, eps: float, far: float) -> dict[str, dict[str, Attack]]:
    """Return the attacks of each library that has them, by name of the attack: L-infinity within `eps`, L2 within `far`."""
    found: dict[str, dict[str, Attack]] = {name: {} for name in EVERY}
    listed = {"torchattacks": _torchattacks, "foolbox": _foolbox, "ART": _art}
    for library, attacks_of in listed.items():
        for name, attack in attacks_of(network, eps, far).items():
            found[name][library] = attack
    return found


def _torchattacks(network: nn.Module, eps: float, far: float) -> dict[str, Attack]:
    import torchattacks as ta

    step = {"eps": eps, "alpha": eps / 4}
    return {
        "FGSM": ta.FGSM(network, eps=eps),
        "iterative FGSM": ta.BIM(network, **step, steps=EVERY["iterative FGSM"]),
        "momentum FGSM": ta.MIFGSM(network, eps=eps, alpha=eps / 10, steps=EVERY["momentum FGSM"]),
        "PGD": ta.PGD(network, **step, steps=EVERY["PGD"]),
        "PGD, L2": ta.PGDL2(network, eps=far, alpha=far / 10, steps=EVERY["PGD, L2"]),
        "DeepFool, L2": ta.DeepFool(network, steps=EVERY["DeepFool, L2"], overshoot=0.02),
        "Carlini-Wagner, L2": ta.CW(network, c=1, kappa=0, steps=5 * EVERY["Carlini-Wagner, L2"], lr=0.01),
    }


def _foolbox(network: nn.Module, eps: float, far: float) -> dict[str, Attack]:
    import foolbox as fb

    bounded = fb.PyTorchModel(network.eval(), bounds=(0, 1))
    listed = {
        "FGSM": (fb.attacks.LinfFastGradientAttack(), eps),
        "iterative FGSM": (
            fb.attacks.LinfBasicIterativeAttack(
                abs_stepsize=eps / 4, steps=EVERY["iterative FGSM"], random_start=False
            ),
            eps,
        ),
        "PGD": (fb.attacks.LinfPGD(abs_stepsize=eps / 4, steps=EVERY["PGD"]), eps),
        "PGD, L2": (fb.attacks.L2PGD(abs_stepsize=far / 10, steps=EVERY["PGD, L2"]), far),
        "DeepFool, L2": (
            fb.attacks.L2DeepFoolAttack(steps=EVERY["DeepFool, L2"], candidates=10, overshoot=0.02),
            None,
        ),
        "Carlini-Wagner, L2": (
            fb.attacks.L2CarliniWagnerAttack(
                binary_search_steps=5, steps=EVERY["Carlini-Wagner, L2"], stepsize=0.01, initial_const=1
            ),
            None,
        ),
    }

    def of(name: str) -> Attack:
        attack, radius = listed[name]
        return lambda images, labels: attack(bounded, images, labels, epsilons=radius)[
            0 if radius is None else 1
        ]

    return {name: of(name) for name in listed}


def _art(network: nn.Module, eps: float, far: float) -> dict[str, Attack]:
    from art.attacks import evasion
    from art.estimators.classification import PyTorchClassifier

    classifier = PyTorchClassifier(
        network, nn.CrossEntropyLoss(), input_shape=(3, 32, 32), nb_classes=10, clip_values=(0.0, 1.0), device_type="cpu"
    )  # fmt: skip
    many, step = {"batch_size": 512, "verbose": False}, {"eps": eps, "eps_step": eps / 4}
    pgd = evasion.ProjectedGradientDescentPyTorch
    listed = {
        "FGSM": evasion.FastGradientMethod(classifier, eps=eps, batch_size=512),
        "iterative FGSM": evasion.BasicIterativeMethod(
            classifier, **step, max_iter=EVERY["iterative FGSM"], **many
        ),
        "momentum FGSM": evasion.MomentumIterativeMethod(
            classifier, eps=eps, eps_step=eps / 10, decay=1.0, max_iter=EVERY["momentum FGSM"], **many
        ),
        "PGD": pgd(classifier, **step, max_iter=EVERY["PGD"], num_random_init=1, **many),
        "PGD, L2": pgd(
            classifier, norm=2, eps=far, eps_step=far / 10, max_iter=EVERY["PGD, L2"], num_random_init=1, **many
        ),
        "DeepFool, L2": evasion.DeepFool(
            classifier, max_iter=EVERY["DeepFool, L2"], epsilon=0.02, nb_grads=10, **many
        ),
        "Carlini-Wagner, L2": evasion.CarliniL2Method(
            classifier, binary_search_steps=5, max_iter=EVERY["Carlini-Wagner, L2"], learning_rate=0.01,
            initial_const=1, **many,
        ),
    }  # fmt: skip
    return {
        name: lambda images, labels, attack=attack: torch.from_numpy(  # type: ignore[misc]
            attack.generate(images.numpy(), labels.numpy())
        )
        for name, attack in listed.items()
    }
