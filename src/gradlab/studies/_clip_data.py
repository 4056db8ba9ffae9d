"""The classes of the studies of CLIP: those that pre-training sees, and those that are held out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradlab.clip.prompts import GROUPS
from gradlab.clip.small import SmallCLIP
from gradlab.data import DATASETS, parse
from gradlab.procedures.clip_pretrain import ClipPretrain
from gradlab.studies._clip_text import TextStart, from_sentences
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import OneCycle
from gradlab.types import UserError

PER_CLASS = {"quick": 40, "standard": 100}
"""Images of a class that tuning reads; pre-training reads all but in the preset quick."""
PLACES = 4
"""Patches along a side of a picture in the presets quick and standard."""
SEEN, TRAINED = slice(0, 3), 3
"""Of the five classes of a group of CIFAR-100, in alphabetical order: the first three are seen, then one each is held out."""


@dataclass(frozen=True)
class Classes:
    """Data by name: what pre-training sees, what is held out of it, and the two halves of that.

    Attributes:
        trained: held-out classes that tuning learns. novel: those that it does not. counts: classes of each, by field.
        known: what the classes that are held out have in common with those that were seen, in words.
    """

    seen: str
    held: str
    trained: str
    novel: str
    counts: dict[str, int]
    known: str


def classes_of(setup: Setup) -> Classes:
    """Return the classes by a rule that knows no result: by group, by colour, or else the last ones.

    Raises:
        UserError: too few classes, or a choice of classes already.
    """
    base, derived = parse(setup.data)
    if derived.classes or setup.class_count < 8:
        raise UserError(
            f"the studies of CLIP divide the classes of '{setup.data}' themselves and need at least eight of them; give data of "
            "all their classes."
        )
    if base == "cifar100" and setup.class_count == 100:
        trained, novel = _of_groups()
        known = "the group of each was seen, in three other classes"
    elif base == "coloured-digits":
        trained, novel = ([4 * digit + (slot - digit) % 4 for digit in range(10)] for slot in (2, 3))
        known = "digit and colour of each were seen, in other pairs"
    else:
        quarter = max(2, setup.class_count // 5)
        numbers = range(setup.class_count)
        trained, novel = (list(numbers[-2 * quarter : -quarter]), list(numbers[-quarter:]))
        known = "their names have nothing in common with those that were seen"
    held = sorted(trained + novel)
    seen = [one for one in range(setup.class_count) if one not in held]
    parts = {"seen": seen, "held": held, "trained": trained, "novel": novel}
    names = {name: _name(setup, numbers) for name, numbers in parts.items()}
    return Classes(**names, counts={name: len(one) for name, one in parts.items()}, known=known)


def _of_groups() -> tuple[list[int], list[int]]:
    names = DATASETS["cifar100"].class_names
    found = [[names.index(one.replace(" ", "_")) for one in sorted(group)] for group in GROUPS.values()]
    return [one[TRAINED] for one in found], [one[TRAINED + 1] for one in found]


def _name(setup: Setup, numbers: Sequence[int]) -> str:
    base, derived = parse(setup.data)
    made = replace(derived, classes=_ranges(sorted(numbers)))
    side = min(setup.image_size, 32) // PLACES * PLACES
    if setup.preset != "full" and derived.size is None and side != setup.image_size:
        made = replace(made, size=(side, side))
    return f"{base}{made}"


def _ranges(numbers: Sequence[int]) -> tuple[str, ...]:
    """Write ascending numbers as ranges, such as ("0-59", "61"), since long names are no names of data."""
    starts = [one for one in numbers if one - 1 not in numbers]
    ends = [one for one in numbers if one + 1 not in numbers]
    return tuple(f"{a}-{b}" if b > a else str(a) for a, b in zip(starts, ends, strict=True))


def few(setup: Setup, name: str) -> str:
    """Return data with as many images of a class as tuning reads in the preset; small data stay as they are."""
    base, derived = parse(name)
    if setup.is_small or setup.preset == "full" or derived.per_class:
        return name
    return f"{base}{replace(derived, per_class=PER_CLASS[setup.preset])}"


def small_clip(setup: Setup, seen: str, epochs: int | None, text: TextStart = "random") -> ClipPretrain:
    """Return the pre-training that both studies share; `text` says from what the text tower starts."""
    side = min(setup.image_size, 32) // PLACES
    model = SmallCLIP(patch=max(1, side))
    recipe = Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=0.05,
        batch_size=128,
        epochs=15,
        schedule=OneCycle(),
    )
    if setup.is_small:
        model = SmallCLIP(patch=max(1, side), width=48, layers=2, text_width=32, text_layers=1, embedding=32)
        recipe = replace(recipe, learning_rate=3e-3, batch_size=64, epochs=30)
    elif setup.preset == "quick":
        recipe, seen = replace(recipe, epochs=4, batch_size=64), few(setup, seen)
    elif setup.preset == "full":
        model = SmallCLIP(patch=max(1, setup.image_size // 8), width=256, layers=8, text_width=128)
        recipe = replace(recipe, epochs=60)
    digits = parse(setup.data)[0] in ("digits", "mnist", "coloured-digits")
    recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
    made = ClipPretrain(data=seen, model=model, recipe=recipe, flips=not digits)
    return made if text == "random" else from_sentences(setup, made)
