"""Attacks on classifiers, as pure functions with a configuration each, and what an attack achieved."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ATTACKS": "registry",
        "Attack": "registry",
        "Attacked": "attacked",
        "Explorer": "found",
        "FGSM": "fgsm",
        "Found": "found",
        "PGD": "pgd",
        "attacked": "attacked",
        "fgsm": "fgsm",
        "over_eps": "over_eps",
        "pgd": "pgd",
        "project_linf": "project_linf",
    },
)

if TYPE_CHECKING:
    from gradlab.attacks.attacked import Attacked as Attacked
    from gradlab.attacks.attacked import attacked as attacked
    from gradlab.attacks.fgsm import FGSM as FGSM
    from gradlab.attacks.fgsm import fgsm as fgsm
    from gradlab.attacks.found import Explorer as Explorer
    from gradlab.attacks.found import Found as Found
    from gradlab.attacks.over_eps import over_eps as over_eps
    from gradlab.attacks.pgd import PGD as PGD
    from gradlab.attacks.pgd import pgd as pgd
    from gradlab.attacks.project_linf import project_linf as project_linf
    from gradlab.attacks.registry import ATTACKS as ATTACKS
    from gradlab.attacks.registry import Attack as Attack
