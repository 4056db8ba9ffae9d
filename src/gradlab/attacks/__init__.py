"""Attacks on classifiers, as pure functions with a configuration each, and what an attack achieved."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "APGD": "apgd",
        "ATTACKS": "registry",
        "AdversarialTraining": "objectives",
        "Attack": "registry",
        "Attacked": "attacked",
        "AutoAttack": "autoattack",
        "CarliniWagner": "carlini_wagner",
        "Certificate": "certificate",
        "DeepFool": "deepfool",
        "Explorer": "found",
        "FAB": "fab",
        "FGSM": "fgsm",
        "FewPixel": "few_pixel",
        "FastTraining": "fast_training",
        "Found": "found",
        "Genetic": "genetic",
        "GradientPixel": "gradient_pixel",
        "IterativeFGSM": "iterative_fgsm",
        "MadryTraining": "madry_training",
        "MixedTraining": "mixed_training",
        "MomentumFGSM": "momentum_fgsm",
        "NUMBERS": "numbers",
        "Noise": "noise",
        "PGD": "pgd",
        "Robustness": "robustness",
        "OBJECTIVES": "objectives",
        "Reason": "certificate",
        "Square": "square",
        "TradesTraining": "trades_training",
        "apgd": "apgd",
        "attacked": "attacked",
        "autoattack": "autoattack",
        "carlini_wagner": "carlini_wagner",
        "choose_targets": "choose_targets",
        "certify": "certify",
        "collapse_epoch": "overfitting",
        "deepfool": "deepfool",
        "ensemble": "ensemble",
        "explore_over_eps": "over_eps",
        "fab": "fab",
        "few_pixel": "few_pixel",
        "fgsm": "fgsm",
        "genetic": "genetic",
        "gradient_pixel": "gradient_pixel",
        "iterative_fgsm": "iterative_fgsm",
        "kl_divergence": "trades_training",
        "least_likely": "targets",
        "momentum_fgsm": "momentum_fgsm",
        "noise": "noise",
        "one_class": "targets",
        "one_pixel_oracle": "one_pixel_oracle",
        "over_eps": "over_eps",
        "pgd": "pgd",
        "project_l1": "project_l1",
        "project_l2": "project_l2",
        "project_linf": "project_linf",
        "robustness": "robustness",
        "robust_overfitting": "overfitting",
        "square": "square",
    },
)

if TYPE_CHECKING:
    from gradlab.attacks.apgd import APGD as APGD
    from gradlab.attacks.apgd import apgd as apgd
    from gradlab.attacks.attacked import Attacked as Attacked
    from gradlab.attacks.attacked import attacked as attacked
    from gradlab.attacks.autoattack import AutoAttack as AutoAttack
    from gradlab.attacks.autoattack import autoattack as autoattack
    from gradlab.attacks.carlini_wagner import CarliniWagner as CarliniWagner
    from gradlab.attacks.carlini_wagner import carlini_wagner as carlini_wagner
    from gradlab.attacks.certificate import Certificate as Certificate
    from gradlab.attacks.certificate import Reason as Reason
    from gradlab.attacks.certify import certify as certify
    from gradlab.attacks.choose_targets import choose_targets as choose_targets
    from gradlab.attacks.deepfool import DeepFool as DeepFool
    from gradlab.attacks.deepfool import deepfool as deepfool
    from gradlab.attacks.ensemble import ensemble as ensemble
    from gradlab.attacks.fab import FAB as FAB
    from gradlab.attacks.fab import fab as fab
    from gradlab.attacks.fast_training import FastTraining as FastTraining
    from gradlab.attacks.few_pixel import FewPixel as FewPixel
    from gradlab.attacks.few_pixel import few_pixel as few_pixel
    from gradlab.attacks.fgsm import FGSM as FGSM
    from gradlab.attacks.fgsm import fgsm as fgsm
    from gradlab.attacks.found import Explorer as Explorer
    from gradlab.attacks.found import Found as Found
    from gradlab.attacks.genetic import Genetic as Genetic
    from gradlab.attacks.genetic import genetic as genetic
    from gradlab.attacks.gradient_pixel import GradientPixel as GradientPixel
    from gradlab.attacks.gradient_pixel import gradient_pixel as gradient_pixel
    from gradlab.attacks.iterative_fgsm import IterativeFGSM as IterativeFGSM
    from gradlab.attacks.iterative_fgsm import iterative_fgsm as iterative_fgsm
    from gradlab.attacks.madry_training import MadryTraining as MadryTraining
    from gradlab.attacks.mixed_training import MixedTraining as MixedTraining
    from gradlab.attacks.momentum_fgsm import MomentumFGSM as MomentumFGSM
    from gradlab.attacks.momentum_fgsm import momentum_fgsm as momentum_fgsm
    from gradlab.attacks.noise import Noise as Noise
    from gradlab.attacks.noise import noise as noise
    from gradlab.attacks.numbers import NUMBERS as NUMBERS
    from gradlab.attacks.objectives import OBJECTIVES as OBJECTIVES
    from gradlab.attacks.objectives import AdversarialTraining as AdversarialTraining
    from gradlab.attacks.one_pixel_oracle import one_pixel_oracle as one_pixel_oracle
    from gradlab.attacks.over_eps import explore_over_eps as explore_over_eps
    from gradlab.attacks.over_eps import over_eps as over_eps
    from gradlab.attacks.overfitting import collapse_epoch as collapse_epoch
    from gradlab.attacks.overfitting import robust_overfitting as robust_overfitting
    from gradlab.attacks.pgd import PGD as PGD
    from gradlab.attacks.pgd import pgd as pgd
    from gradlab.attacks.project_l1 import project_l1 as project_l1
    from gradlab.attacks.project_l2 import project_l2 as project_l2
    from gradlab.attacks.project_linf import project_linf as project_linf
    from gradlab.attacks.registry import ATTACKS as ATTACKS
    from gradlab.attacks.registry import Attack as Attack
    from gradlab.attacks.robustness import Robustness as Robustness
    from gradlab.attacks.robustness import robustness as robustness
    from gradlab.attacks.square import Square as Square
    from gradlab.attacks.square import square as square
    from gradlab.attacks.targets import least_likely as least_likely
    from gradlab.attacks.targets import one_class as one_class
    from gradlab.attacks.trades_training import TradesTraining as TradesTraining
    from gradlab.attacks.trades_training import kl_divergence as kl_divergence
