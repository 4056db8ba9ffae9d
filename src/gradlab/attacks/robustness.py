"""How a network withstands attacks: one call, one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab._torch import torch
from gradlab.attacks._images import images_of
from gradlab.attacks._robustness_rows import row_of, rows_of, shown, told
from gradlab.attacks._undisturbed import check_model
from gradlab.attacks.attacked import attacked, check_attack
from gradlab.attacks.choose_targets import Targets, choose_targets
from gradlab.attacks.each_eps import each_eps
from gradlab.attacks.numbers import NUMBERS, Columns, columns_of, is_success
from gradlab.metrics import confusion
from gradlab.training.checks import like
from gradlab.types import UserError

if TYPE_CHECKING:
    import pandas as pd

    from gradlab.attacks.found import Explorer
    from gradlab.data import Dataset, Split

ALL = "all of them"
"""Name of the worst case over several attacks of one norm, image by image; where there are several norms it names its own."""
NORMS = {"linf": "L-infinity", "l2": "L2", "l1": "L1"}


@dataclass(frozen=True, eq=False)
class Judged:
    """One attack at one radius.

    Attributes:
        attack: its name. eps: the radius; None for the attack's own.
        columns: one row an image, see `gradlab.attacks.numbers.columns_of`. images: (N, C, H, W) as attacked; of the worst
            case over several attacks there are only classes, and None.
        norm: of the radius; None of a plain function, which does not tell it.
    """

    attack: str
    eps: float | None
    columns: Columns
    images: torch.Tensor | None
    norm: str | None = None


@dataclass(frozen=True, eq=False)
class Robustness:
    """What `robustness` found; printing it shows the table.

    Attributes:
        judged: every attack at every radius, and where there are several of one norm, the worst case over them.
        images: (N, C, H, W) as given. class_names: (K,), or numbers in words.
    """

    judged: tuple[Judged, ...]
    images: torch.Tensor
    class_names: tuple[str, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an attack and radius; every number with the ends of its 95 % interval, which holds the images alone."""
        import pandas as pd

        return pd.DataFrame([row_of(one.attack, one.eps, one.columns) for one in self.judged])

    def of(self, attack: str, eps: float | None = None) -> Judged:
        """Return one attack at one radius; without eps its only one.

        Raises:
            UserError: there is none, or more than one.
        """
        found = [
            one
            for one in self.judged
            if one.attack == attack and (eps is None or (one.eps is not None and np.isclose(one.eps, eps)))
        ]
        if len(found) != 1:
            known = ", ".join(f"{one.attack} at {told(one.eps)}" for one in self.judged)
            raise UserError(
                f"there are {len(found)} results of {attack!r} at {told(eps)}; judged are {known}."
            )
        return found[0]

    def matrix(self, attack: str, eps: float | None = None) -> np.ndarray:
        """Return (K, K) counts of successes by true class (row) and class under attack (column)."""
        columns = self.of(attack, eps).columns
        rows = is_success(columns) > 0
        if not rows.any():
            return np.zeros((len(self.class_names),) * 2, dtype=np.int64)
        prediction, label = (columns[name][rows].astype(np.int64) for name in ("prediction", "label"))
        return confusion(prediction, label, len(self.class_names))

    def __str__(self) -> str:
        names, rows = self._cells()
        widths = [max(len(row[n]) for row in (names, *rows)) for n in range(len(names))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in (names, *rows)
        ]
        return "\n".join([f"{len(self.images):,} images", *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        names, rows = self._cells()
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        return f"<p>{len(self.images):,} images</p><table><tr>{head}</tr>{body}</table>"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows in words; numbers that no attack tells are left out."""
        numbers = [n for n in NUMBERS if self.table[n.name].notna().any()]
        rows = [
            [one.attack, told(one.eps), *(shown(number, row) for number in numbers)]
            for one, row in zip(self.judged, rows_of(self.table), strict=True)
        ]
        units = [f"{n.name} ({n.unit})" if n.unit == "dB" else n.name for n in numbers]
        return ["attack", "eps", *units], rows


def robustness(
    model: torch.nn.Module,
    data: Dataset | Split | tuple[torch.Tensor, torch.Tensor],
    attacks: Explorer | Sequence[Explorer] | Mapping[str, Explorer],
    *,
    eps: float | str | Sequence[float | str] | None = None,
    images: int | None = None,
    targets: Targets | None = None,
    seed: int = 0,
    batch_size: int = 256,
) -> Robustness:
    """Attack a network and judge it: accuracy, success, what the attacks cost, and how visible they are.

    Success is over the images that are classified correctly as given, and not their target; the prediction is that on the
    final image. Judge by the strongest attack at hand: a network that only withstands a weak one is not robust.

    Where there are several attacks, rows "all of them" hold the worst case of every image: the target, else any wrong class.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); left as it was found.
        data: a data set, whose test images are attacked, a part of one, or images (N, C, H, W) float in [0, 1] and their
            labels (N,) int64.
        attacks: a configuration such as `PGD()`, several, or several with names of your own.
        eps: radii at which each is run, such as 8/255, "8/255" or several; left out, each at its own.
        images: how many, drawn once with the class shares of the whole; left out, all.
        targets: a class that all images shall become (those of that class are left out), "least-likely", or "random".
        seed: of the attacks' random numbers and of random targets; each attack and radius starts from it.
        batch_size: images in one call of an attack.

    Raises:
        UserError: as the attacks do, no attack, two of one name, or data without test images.
    """
    check_model(model)
    wanted, several = like(model), _named(attacks)
    pixels, labels, names = images_of(data, images, seed=0, dtype=wanted.dtype)
    if isinstance(targets, int):
        kept = labels != targets
        pixels, labels = pixels[kept], labels[kept]
    place = wanted.device if wanted.numel() else pixels.device
    pixels, labels = pixels.to(place), labels.to(place)
    aims = None
    if targets is not None:
        stream = torch.Generator().manual_seed(seed)
        aims = choose_targets(targets, model, pixels, labels, generator=stream)
    judged = []
    for name, attack in several.items():
        for radius, one in [(None, attack)] if eps is None else each_eps(attack, eps).items():
            stream = torch.Generator().manual_seed(seed)
            found = attacked(
                one, model, pixels, labels, targets=aims, generator=stream, batch_size=batch_size
            )
            own = getattr(attack, "eps", None) if radius is None else radius
            norm = getattr(attack, "norm", None)
            judged.append(Judged(name, own, columns_of(found), found.images.cpu(), norm))
            count = found.clean_logits.shape[1]
    names = names or tuple(map(str, range(count)))
    return Robustness((*judged, *_worst(judged)), pixels.cpu(), names)


def _named(attacks: Any) -> dict[str, Any]:
    if isinstance(attacks, Mapping):
        named = dict(attacks)
    else:
        several = attacks if isinstance(attacks, (list, tuple)) else [attacks]
        for one in several:
            check_attack(one)
        named = {getattr(one, "kind", getattr(one, "__name__", str(one))): one for one in several}
        if len(named) < len(several):
            raise UserError(
                'two attacks of one kind need names to tell them apart: {"pgd 10": PGD(), "pgd 50": PGD(steps=50)}.'
            )
    if not named:
        raise UserError("robustness needs at least one attack, such as PGD(steps=50, restarts=5).")
    return named


def _worst(judged: Sequence[Judged]) -> list[Judged]:
    """Return the worst case over the attacks at each radius of each norm, image by image."""
    found = []
    norms = dict.fromkeys(one.norm for one in judged)
    for norm, eps in dict.fromkeys((one.norm, one.eps) for one in judged):
        group = [one.columns for one in judged if (one.norm, one.eps) == (norm, eps)]
        if len(group) > 1:
            kept = {name: group[0][name] for name in ("label", "clean", "target")}
            name = ALL if len(norms) == 1 else f"{ALL}, {NORMS.get(norm or '', 'other')}"
            found.append(Judged(name, eps, kept | {"prediction": _worst_prediction(group)}, None, norm))
    return found


def _worst_prediction(group: Sequence[Columns]) -> np.ndarray:
    """Return (N,) the gravest class of each image: the target, else any other than the label, else the label."""
    prediction = group[0]["prediction"].copy()
    for columns in group[1:]:
        graver = (prediction == columns["label"]) | (is_success(columns) > 0)
        prediction[graver] = columns["prediction"][graver]
    return prediction
