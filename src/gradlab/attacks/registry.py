"""The attacks that a study can name."""

from __future__ import annotations

from gradlab.attacks.few_pixel import FewPixel
from gradlab.attacks.fgsm import FGSM
from gradlab.attacks.genetic import Genetic
from gradlab.attacks.gradient_pixel import GradientPixel
from gradlab.attacks.noise import Noise
from gradlab.attacks.pgd import PGD

Attack = FGSM | PGD | FewPixel | GradientPixel | Genetic | Noise
"""Configuration of an attack; the discriminator is `kind`."""

ATTACKS: dict[str, type[Attack]] = {
    "fgsm": FGSM,
    "pgd": PGD,
    "few-pixel": FewPixel,
    "gradient-pixel": GradientPixel,
    "genetic": Genetic,
    "noise": Noise,
}
