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
        "FewPixel": "few_pixel",
        "Found": "found",
        "Genetic": "genetic",
        "GradientPixel": "gradient_pixel",
        "NUMBERS": "numbers",
        "Noise": "noise",
        "PGD": "pgd",
        "Robustness": "robustness",
        "attacked": "attacked",
        "choose_targets": "choose_targets",
        "few_pixel": "few_pixel",
        "fgsm": "fgsm",
        "genetic": "genetic",
        "gradient_pixel": "gradient_pixel",
        "noise": "noise",
        "one_pixel_oracle": "one_pixel_oracle",
        "over_eps": "over_eps",
        "pgd": "pgd",
        "project_linf": "project_linf",
        "robustness": "robustness",
    },
)

if TYPE_CHECKING:
    from gradlab.attacks.attacked import Attacked as Attacked
    from gradlab.attacks.attacked import attacked as attacked
    from gradlab.attacks.choose_targets import choose_targets as choose_targets
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
    from gradlab.attacks.noise import Noise as Noise
    from gradlab.attacks.noise import noise as noise
    from gradlab.attacks.numbers import NUMBERS as NUMBERS
    from gradlab.attacks.one_pixel_oracle import one_pixel_oracle as one_pixel_oracle
    from gradlab.attacks.over_eps import over_eps as over_eps
    from gradlab.attacks.pgd import PGD as PGD
    from gradlab.attacks.pgd import pgd as pgd
    from gradlab.attacks.project_linf import project_linf as project_linf
    from gradlab.attacks.registry import ATTACKS as ATTACKS
    from gradlab.attacks.registry import Attack as Attack
    from gradlab.attacks.robustness import Robustness as Robustness
    from gradlab.attacks.robustness import robustness as robustness
