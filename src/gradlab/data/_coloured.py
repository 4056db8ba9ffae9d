"""Digits in four colours: classes of two words each, "red three", so that some can be held out whose words were seen."""

from __future__ import annotations

import numpy as np

from gradlab.data._digits import digits
from gradlab.data._facts import Images, Labels
from gradlab.data._names import COLOURS

CHANNELS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
"""Which of red, green and blue show the digit."""
COLOURED_SEED = 11


def coloured() -> tuple[Images, Labels]:
    """Return (1797, 3, 8, 8) uint8 digits on black, each in one colour, and labels 4 * digit + colour.

    Digits are those of scikit-learn. The colour of every digit is drawn, uniformly and without regard to the digit, from the
    raw stream of PCG64.
    """
    grey, shown = digits()
    drawn = (np.random.PCG64(COLOURED_SEED).random_raw(len(grey)) % len(COLOURS)).astype(np.int64)
    palette = np.array([CHANNELS[name] for name in COLOURS], dtype=np.uint8)
    images = grey * palette[drawn][:, :, None, None]
    return images, shown * len(COLOURS) + drawn
