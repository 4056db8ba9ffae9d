"""Attacks on classifiers, as pure functions with a configuration each, and what an attack achieved."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ATTACKS": "registry",
        "AdversarialTraining": "objectives",
        "Attack": "registry",
        "Attacked": "attacked",
        "Certificate": "certificate",
        "Explorer": "found",
        "FGSM": "fgsm",
        "FastTraining": "fast_training",
        "Found": "found",
        "MadryTraining": "madry_training",
        "MixedTraining": "mixed_training",
        "OBJECTIVES": "objectives",
        "PGD": "pgd",
        "Reason": "certificate",
        "TradesTraining": "trades_training",
        "attacked": "attacked",
        "certify": "certify",
        "collapse_epoch": "overfitting",
        "fgsm": "fgsm",
        "kl_divergence": "trades_training",
        "over_eps": "over_eps",
        "pgd": "pgd",
        "project_linf": "project_linf",
        "robust_overfitting": "overfitting",
    },
)

if TYPE_CHECKING:
    from gradlab.attacks.attacked import Attacked as Attacked
    from gradlab.attacks.attacked import attacked as attacked
    from gradlab.attacks.certificate import Certificate as Certificate
    from gradlab.attacks.certificate import Reason as Reason
    from gradlab.attacks.certify import certify as certify
    from gradlab.attacks.fast_training import FastTraining as FastTraining
    from gradlab.attacks.fgsm import FGSM as FGSM
    from gradlab.attacks.fgsm import fgsm as fgsm
    from gradlab.attacks.found import Explorer as Explorer
    from gradlab.attacks.found import Found as Found
    from gradlab.attacks.madry_training import MadryTraining as MadryTraining
    from gradlab.attacks.mixed_training import MixedTraining as MixedTraining
    from gradlab.attacks.objectives import OBJECTIVES as OBJECTIVES
    from gradlab.attacks.objectives import AdversarialTraining as AdversarialTraining
    from gradlab.attacks.over_eps import over_eps as over_eps
    from gradlab.attacks.overfitting import collapse_epoch as collapse_epoch
    from gradlab.attacks.overfitting import robust_overfitting as robust_overfitting
    from gradlab.attacks.pgd import PGD as PGD
    from gradlab.attacks.pgd import pgd as pgd
    from gradlab.attacks.project_linf import project_linf as project_linf
    from gradlab.attacks.registry import ATTACKS as ATTACKS
    from gradlab.attacks.registry import Attack as Attack
    from gradlab.attacks.trades_training import TradesTraining as TradesTraining
    from gradlab.attacks.trades_training import kl_divergence as kl_divergence
