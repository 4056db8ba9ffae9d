"""The attacks that a study can name."""

from __future__ import annotations

from gradlab.attacks.fgsm import FGSM
from gradlab.attacks.pgd import PGD

Attack = FGSM | PGD
"""Configuration of an attack; the discriminator is `kind`."""

ATTACKS: dict[str, type[Attack]] = {"fgsm": FGSM, "pgd": PGD}
