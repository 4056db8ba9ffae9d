"""What is claimed about regularisers, each as a comparison fixed before the runs."""

from __future__ import annotations

from collections.abc import Mapping

from gradlab.lab.designing.claims import Claim, Published
from gradlab.statistics import difference
from gradlab.studies._shared import LOSS, part


def claims_of(words: Mapping[str, str]) -> tuple[Claim, ...]:
    """Return the claims about regularisers, given as name -> label."""
    published = Published(
        value="validation loss near 0.045 with augmentation, 0.076 with dropout and batch norm, 0.09 plain, at epoch 13",
        source="lab 002",
        protocol="three different nets, each with a patience of its own; its validation set is the test set; one run",
    )
    others = [name for name in words if name not in ("light",)]
    return (
        Claim(
            id="C002-02",
            statement="With all training images light augmentation lowers the test loss below that of no regulariser "
            "and of dropout with batch norm",
            parts=tuple(
                part(
                    f"{words[name]} above light augmentation",
                    difference(f"{name}-all", "light-all"),
                    measure=LOSS,
                )
                for name in ("none", "dropout-norm")
            ),
            published=published,
        ),
        Claim(
            id="C002-02b",
            statement="With all training images light augmentation is the best: more accurate than every other arm",
            parts=tuple(
                part(f"above {words[name]}", difference("light-all", f"{name}-all"), delta=0.001)
                for name in others
            ),
            published=published,
        ),
        Claim(
            id="regularisers-few",
            statement="With few training images light augmentation is over a point more accurate than every other arm",
            parts=tuple(part(f"above {words[name]}", difference("light-few", f"{name}-few")) for name in others),
        ),
        Claim(
            id="regularisers-stopping",
            statement="With few training images early stopping on the whole validation part gains over half a point",
            parts=(
                part("early stopping - none", difference("stopping-few", "none-few"), delta=0.005),
            ),
        ),
        Claim(
            id="regularisers-features",
            statement="With few training images extrapolating hidden features gains over half a point",
            parts=(
                part("extrapolation - none", difference("extrapolation-few", "none-few"), delta=0.005),
            ),
        ),
    )  # fmt: skip
