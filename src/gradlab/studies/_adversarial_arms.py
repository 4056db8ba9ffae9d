"""Arms of the study of adversarial training: the trainings, the attacks on them, and foreign images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gradlab.attacks import (
    FGSM,
    PGD,
    AdversarialTraining,
    FastTraining,
    IterativeFGSM,
    MadryTraining,
    MixedTraining,
)
from gradlab.detection import MaxSoftmax
from gradlab.lab.designing.design import Arm
from gradlab.procedures.attack import Attack
from gradlab.procedures.certify import Certify
from gradlab.procedures.score import Score
from gradlab.procedures.train import Custom, Train
from gradlab.studies._nets import source_cnn
from gradlab.studies._transfer_data import reduced
from gradlab.studies.setup import Setup

STEPS = 3
"""Of PGD in training; more cost more, and three are the fewest that withstand PGD with twenty."""
VALIDATION_STEPS = 5
NAMES = ("plain", "half", "fifth", "near", "fast", "pgd")
"""Trainings on all images; what they cost leaves fewer of them to the presets that take minutes."""
SMALL, FEWER = ("plain", "half", "pgd"), ("plain", "half", "near", "pgd")
EPOCHS = {"quick": 2, "standard": 5}
"""Of trainings on all images: an attack makes each of them several times as long."""
PARTS = 4
"""Into which the radius is divided for the small one."""
BATCH, BRIEF_EPOCHS, BRIEF_FEW_EPOCHS, BRIEF_RATE = 64, 2, 8, 6e-3
"""Of small data; and in the preset quick, which takes a minute, epochs on all images and on few, and twice the usual rate."""
TARGET = 2
"""The class of lab 000's targeted attack: bird in CIFAR-10."""
FOREIGN = "foreign images"


@dataclass(frozen=True)
class Plan:
    """What the study needs to know of its setting.

    Attributes:
        data: what is learned. eps, near: the radius of training, and a small one. images: how many are attacked.
        few, few_epochs: the small training set, and for how long it is seen. out: foreign images.
        every: how many validation images there are for each that is attacked. names: of the trainings on all images.
        certified: how many images of one network a certificate examines.
    """

    data: str
    eps: float
    images: int | None
    few: int
    few_epochs: int
    out: str
    every: int
    names: tuple[str, ...]
    certified: int

    @property
    def near(self) -> float:
        """The small radius."""
        return self.eps / PARTS


def level(eps: float) -> str:
    """Return a radius in grey levels, for names of arms."""
    return f"{eps * 255:.3g}"


def plan_of(setup: Setup, eps: float | None, few: int | None, few_epochs: int | None) -> Plan:
    """Return the setting: small images of strong contrast are attacked within larger radii."""
    small = setup.is_small
    brief = setup if setup.preset == "full" else replace(setup, preset="quick")
    data = reduced(brief, setup.data, setup.class_count, 0)
    shape = f"@{16 if '@16' in data else setup.image_size}:{'grey' if setup.channels == 1 else 'rgb'}"
    seen = 30 if small else {"quick": 6, "standard": 12, "full": 100}[setup.preset]
    cifar = data.startswith("cifar10#") or data == "cifar10"
    plan = Plan(
        data=data,
        eps=(32 if setup.channels == 1 else 8) / 255 if eps is None else eps,
        images=None if small else 1_000 if setup.preset == "full" else 200,
        few=few or (200 if small else 2_000),
        few_epochs=few_epochs or seen,
        out=f"cifar100#20{shape.removesuffix(':rgb')}" if cifar else f"photos{shape}",
        every=1 if small else 20,
        names=NAMES if setup.preset == "full" else SMALL if small else FEWER,
        certified=1_000 if setup.preset == "full" else 200,
    )
    if not small or setup.preset != "quick":
        return plan
    return replace(plan, few_epochs=few_epochs or BRIEF_FEW_EPOCHS, every=4, images=100, certified=50)


def trainings(plan: Plan, names: tuple[str, ...]) -> dict[str, tuple[str, AdversarialTraining | None]]:
    """Return name -> label and objective of these trainings."""
    fgsm = FGSM(eps=plan.eps)
    steps: dict[str, Any] = {"validation_steps": VALIDATION_STEPS, "validation_every": plan.every}
    every: dict[str, tuple[str, AdversarialTraining | None]] = {
        "plain": ("no defence", None),
        "half": ("half FGSM", MixedTraining(attack=fgsm, clean=0.5, **steps)),
        "fifth": ("four fifths FGSM", MixedTraining(attack=fgsm, clean=0.2, **steps)),
        "near": ("half FGSM, small eps", MixedTraining(attack=FGSM(eps=plan.near), clean=0.5, **steps)),
        "fast": ("fast FGSM", FastTraining(eps=plan.eps, **steps)),
        "pgd": ("PGD", MadryTraining(eps=plan.eps, steps=STEPS, **steps)),
    }
    return {name: one for name, one in every.items() if name in names}


def nets_of(
    setup: Setup, plan: Plan, epochs: int | None, network: Custom | None = None
) -> dict[str, tuple[str, Train]]:
    """Return name -> label and training, of all images, for every way of training."""
    plain = source_cnn(setup, plan.data, epochs=epochs or _epochs(setup))
    if setup.is_small:
        rate = BRIEF_RATE if setup.preset == "quick" else plain.recipe.learning_rate
        plain = replace(plain, recipe=replace(plain.recipe, batch_size=BATCH, learning_rate=rate))
    plain = replace(plain, model=network or plain.model)
    return {
        name: (label, replace(plain, objective=objective))
        for name, (label, objective) in trainings(plan, plan.names).items()
    }


def build_arms(setup: Setup, plan: Plan, epochs: int | None, network: Custom | None) -> tuple[Arm, ...]:
    """Return the networks on all and on few images, the attacks on each, and the scores of foreign images."""
    nets = nets_of(setup, plan, epochs, network)
    few = _few(nets["plain"][1], plan, with_best=not setup.is_small)
    arms = [_net(name, label, train, plan) for name, (label, train) in (nets | few).items()]
    for name, (label, train) in nets.items():
        arms += _attacked(name, label, train, plan, (plan.near, plan.eps))
    for name, (label, train) in few.items():
        arms += _attacked(name, label, train, plan, (plan.eps,))
    if not setup.is_small:
        arms += [_targeted(name, *nets[name], plan) for name in ("plain", "half")]
    arms += [_scored(name, *nets[name], plan) for name in ("plain", "half", "fifth", "pgd") if name in nets]
    arms += [_certified(name, *nets[name], plan, nets["plain"][1], setup) for name in nets]
    return tuple(arms)


def _epochs(setup: Setup) -> int | None:
    if setup.is_small:
        return BRIEF_EPOCHS if setup.preset == "quick" else None
    return EPOCHS.get(setup.preset)


def _few(plain: Train, plan: Plan, *, with_best: bool) -> dict[str, tuple[str, Train]]:
    """Return the trainings that see a few images often: fast and PGD to the end, and PGD stopped where it is best."""
    objectives = trainings(plan, NAMES)
    recipe = replace(plain.recipe, epochs=plan.few_epochs, keep="last", select="robust_accuracy")
    last = replace(plain, train_images=plan.few, recipe=recipe)
    best = replace(last, recipe=replace(recipe, keep="best"), objective=objectives["pgd"][1])
    found = {
        "few-fast": ("fast FGSM, few images", replace(last, objective=objectives["fast"][1])),
        "few-pgd": ("PGD, few images", replace(last, objective=objectives["pgd"][1])),
    }
    return found | ({"few-best": ("PGD, few images, best epoch", best)} if with_best else {})


def _net(name: str, label: str, train: Train, plan: Plan) -> Arm:
    return Arm(
        name=name,
        label=label,
        factors={
            "training": label,
            "images": plan.few if train.train_images else "all",
            "attack": "none",
            "eps": 0.0,
        },
        procedure=train,
    )


def _attacked(name: str, label: str, train: Train, plan: Plan, radii: tuple[float, ...]) -> list[Arm]:
    """Attack a network with PGD-20, and where several radii are asked with FGSM as well, as it is often judged.

    FGSM at radius 0 changes nothing: the accuracy of the same images as they are.
    """
    by: dict[str, tuple[PGD | FGSM, tuple[float, ...]]] = {
        "pgd": (PGD(steps=20, stop_at_success=True), radii)
    }
    by |= {"fgsm": (FGSM(), (0.0, *radii))} if len(radii) > 1 else {}
    return [
        Arm(
            name=f"{name}-{attack}-{level(eps)}",
            label=f"{label}, {attack.upper()} at {level(eps)}/255",
            factors={
                "training": label,
                "images": plan.few if train.train_images else "all",
                "attack": attack.upper(),
                "eps": eps,
            },
            procedure=Attack(net=train, data=plan.data, by=one, eps=every, images=plan.images),
            at={"eps": eps},
        )
        for attack, (one, every) in by.items()
        for eps in every
    ]


def _targeted(name: str, label: str, train: Train, plan: Plan) -> Arm:
    """Attack a network towards one class in ten steps, as lab 000 did."""
    by = IterativeFGSM(steps=10, stop_at_success=True)
    return Arm(
        name=f"{name}-targeted",
        label=f"{label}, ten steps of FGSM towards class {TARGET} at {level(plan.eps)}/255",
        factors={
            "training": label,
            "images": f"all but class {TARGET}",
            "attack": f"towards class {TARGET}",
            "eps": plan.eps,
        },
        procedure=Attack(
            net=train, data=plan.data, by=by, eps=(plan.eps,), images=plan.images, targets=TARGET
        ),
        at={"eps": plan.eps},
    )


def _scored(name: str, label: str, train: Train, plan: Plan) -> Arm:
    return Arm(
        name=f"{name}-foreign",
        label=f"{label}, {FOREIGN}",
        factors={"training": label, "images": "all", "attack": "none", "set": plan.out},
        procedure=Score(net=train, data=plan.data, out=(plan.out,), detectors=(MaxSoftmax(),)),
        at={"detector": MaxSoftmax().kind, "set": plan.out},
    )


def _certified(name: str, label: str, train: Train, plan: Plan, plain: Train, setup: Setup) -> Arm:
    """Examine one network of a training: whether the attacks on it can be believed."""
    return Arm(
        name=f"{name}-certificate",
        label=f"{label}, certificate at {level(plan.eps)}/255",
        factors={"training": label, "images": "all", "eps": plan.eps},
        procedure=Certify(
            net=train,
            data=plan.data,
            eps=plan.eps,
            quick=plan.certified < 1_000,
            images=plan.certified,
            twin=None if train == plain else plain,
            net_seed=setup.first_seed,
        ),
    )
