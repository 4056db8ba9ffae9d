"""The attacks that a study can name."""

from __future__ import annotations

from gradlab.attacks.apgd import APGD
from gradlab.attacks.autoattack import AutoAttack
from gradlab.attacks.carlini_wagner import CarliniWagner
from gradlab.attacks.deepfool import DeepFool
from gradlab.attacks.fab import FAB
from gradlab.attacks.fgsm import FGSM
from gradlab.attacks.iterative_fgsm import IterativeFGSM
from gradlab.attacks.momentum_fgsm import MomentumFGSM
from gradlab.attacks.pgd import PGD
from gradlab.attacks.square import Square

Attack = (
    FGSM
    | PGD
    | IterativeFGSM
    | MomentumFGSM
    | APGD
    | DeepFool
    | CarliniWagner
    | FAB
    | Square
    | AutoAttack
)  # fmt: skip
"""Configuration of an attack; the discriminator is `kind`."""

ATTACKS: dict[str, type[Attack]] = {
    "fgsm": FGSM,
    "pgd": PGD,
    "iterative_fgsm": IterativeFGSM,
    "momentum_fgsm": MomentumFGSM,
    "apgd": APGD,
    "deepfool": DeepFool,
    "carlini_wagner": CarliniWagner,
    "fab": FAB,
    "square": Square,
    "autoattack": AutoAttack,
}
