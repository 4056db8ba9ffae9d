"""Walk the fields of a configuration and change each of them, as far as its type allows."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from gradlab.attacks import FGSM, MadryTraining
from gradlab.augmentation import FeatureAugmentation, Flip, Mixup
from gradlab.detection import AutoEncoder
from gradlab.procedures import TrainAutoencoder
from gradlab.training import Cosine, Patience, Recipe
from gradlab.training.groups import Group
from gradlab.types import UserError

OTHERS: tuple[Any, ...] = (
    1,
    2,
    0.25,
    "other",
    True,
    ("x",),
    (1,),
    (0.5,),
    (3, 4),
    (1, 2, 3),
    ("max-softmax",),
    Cosine(),
    Patience(),
    Mixup(),
    FeatureAugmentation(),
    (Flip(),),
    (Group(match=".*", decay=0.0),),
    FGSM(),
    MadryTraining(),
    TrainAutoencoder(data="stripes", model=AutoEncoder(code=2), recipe=Recipe()),
)
"""Values for fields that hold nothing yet."""


def changes(value: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield the path of every field below a configuration, and whole configurations in which it alone is another."""
    for field in dataclasses.fields(value):
        if field.name == "kind":
            continue
        own, place = getattr(value, field.name), f"{path}.{field.name}".lstrip(".")
        if dataclasses.is_dataclass(own):
            for below, candidates in changes(own, place):
                yield below, [one for made in candidates for one in _with(value, field.name, made)]
        else:
            yield (
                place,
                [one for made in _others(value, field.name, own) for one in _with(value, field.name, made)],
            )


def _with(value: Any, name: str, other: Any) -> list[Any]:
    """Return the configuration with another value, or nothing where it refuses that."""
    try:
        made = dataclasses.replace(value, **{name: other})
    except (ValueError, TypeError):
        return []
    return [made] if made != value else []


def _others(value: Any, name: str, own: Any) -> Iterator[Any]:
    if isinstance(own, bool):
        yield not own
    elif isinstance(own, (int, float)):
        yield from (own + 1, own * 2, own / 2, own + 0.125)
    elif isinstance(own, tuple) and own:
        yield from (own[:-1], own[::-1], (*own, own[0]))
        if dataclasses.is_dataclass(own[0]):
            yield from ((made, *own[1:]) for _, others in changes(own[0]) for made in others)
        if isinstance(own[0], (int, float)):
            yield tuple(one + 1 for one in own)
            yield tuple(one / 2 for one in own)
    yield from OTHERS
    yield from _words(value, name)


def _words(value: Any, name: str) -> list[str]:
    """Return the words that a field takes, from the sentence by which it refuses another one."""
    try:
        dataclasses.replace(value, **{name: "no such word"})
    except UserError as error:  # it is told after pydantic's own
        told = error.__context__.errors()[0] if isinstance(error.__context__, ValidationError) else {}
        return re.findall(r"'([^']+)'", str(told.get("ctx", {}).get("expected", "")))
    except (ValueError, TypeError):
        return []
    return []
