"""The small grammar of derived data, `NAME[CLASSES]#COUNT@SIZE:CHANNELS`, such as `cifar100[bottle,bed]@16:grey`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from gradlab.types import UserError, did_you_mean

Channels = Literal["grey", "rgb"]
MOST_PIXELS_A_SIDE = 4096
_STEP = r"\[[^\[\]]*\]|[#@:][^\[\]#@:/\\]*"
_WHOLE = re.compile(rf"(?P<base>.+?)(?P<steps>(?:{_STEP})*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
_SIZE = re.compile(r"([0-9]{1,9})(?:[x×]([0-9]{1,9}))?")


@dataclass(frozen=True)
class Derivation:
    """What is made of a data set; carried out in the order of these fields, which is also that of writing.

    Attributes:
        classes: names, ranges such as "0-7", or numbers of the classes that are kept; all where empty.
        per_class: most images or sentences of a class in each part; all where None.
        size: (H, W) that images are resampled to; as they are where None.
        channels: "grey" or "rgb"; as they are where None.
    """

    classes: tuple[str, ...] = ()
    per_class: int | None = None
    size: tuple[int, int] | None = None
    channels: Channels | None = None

    def __str__(self) -> str:
        """The steps as they are written behind a name, in their order; empty where there is none."""
        text = f"[{','.join(self.classes)}]" if self.classes else ""
        text += f"#{self.per_class}" if self.per_class else ""
        if self.size:
            height, width = self.size
            text += f"@{height}" if height == width else f"@{height}x{width}"
        return text + (f":{self.channels}" if self.channels else "")

    def __bool__(self) -> bool:
        return self != Derivation()

    def without_size(self) -> Derivation:
        """Return the rest, for images that get their size while they are decoded or drawn."""
        return replace(self, size=None)


def parse(text: str) -> tuple[str, Derivation]:
    """Split a derived name into the name or path before its steps, and what the steps say.

    Steps are `[a,b]` or `[0-7]` (classes), `#100` (so many per class), `@32` or `@24x32` (height and width in pixels)
    and `:grey` or `:rgb`. Each may stand once, in any order; they are carried out in the order above.

    Raises:
        UserError: a step that cannot be read, or one that stands twice.

    >>> parse("cifar100[bottle,bed]@16:grey")
    ('cifar100', Derivation(classes=('bottle', 'bed'), per_class=None, size=(16, 16), channels='grey'))
    """
    match = _WHOLE.fullmatch(text)
    if match is None:
        return text, Derivation()
    found = Derivation()
    for step in re.findall(_STEP, match["steps"]):
        field, value = _read(step, text)
        if getattr(found, field):
            raise UserError(f"'{text}' says {field.replace('_', ' ')} twice; leave one of them out.")
        found = replace(found, **{field: value})
    last = re.split(r"[/\\]", match["base"])[-1]
    if "[" in last or "]" in last:
        raise UserError(
            f"'{text}' has a bracket too many or too few; write classes as {last.split('[')[0]}[a,b]."
        )
    return match["base"], found


def _read(step: str, text: str) -> tuple[str, Any]:
    kind, value = step[0], step[1:].strip()
    if kind == "[":
        classes = tuple(name.strip() for name in value[:-1].split(","))
        if not all(classes):
            raise UserError(f"'{text}' has an empty class name; write classes as [a,b] or [0-7].")
        return "classes", classes
    if kind == "#":
        if not _NUMBER.fullmatch(value) or int(value) < 1:
            raise UserError(
                f"# takes how many of each class to keep, at least 1, got '{value}' in '{text}'; write #100."
            )
        return "per_class", int(value)
    if kind == "@":
        match = _SIZE.fullmatch(value)
        height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (1 <= height <= MOST_PIXELS_A_SIDE and 1 <= width <= MOST_PIXELS_A_SIDE):
            raise UserError(
                f"@ takes a size in pixels from 1 to {MOST_PIXELS_A_SIDE}, got '{value}' in '{text}'; write @32, or "
                "@24x32 for height and width."
            )
        return "size", (height, width)
    if value.lower() not in get_args(Channels):
        raise UserError(f"a colon takes grey or rgb, got '{value}' in '{text}'; write :grey or :rgb.")
    return "channels", value.lower()


def class_numbers(classes: Sequence[str], class_names: Sequence[str], name: str) -> list[int]:
    """Return the numbers of the classes that a derivation names, ascending and each once.

    A text is a class name (case, `-`, `_` and blanks are alike), else a range `first-last` in label order, else a
    class's number from 0.

    Args:
        classes: as written.
        class_names: of the data set, in label order.
        name: of the data set, for the sentence about what it lacks.

    Raises:
        UserError: no such class, several of that name, or a range that runs backwards.
    """
    found: set[int] = set()
    for text in classes:
        found |= set(_range(text, class_names, name))
    return sorted(found)


def _range(text: str, class_names: Sequence[str], name: str) -> range:
    if (one := _number(text, class_names, name)) is not None:
        return range(one, one + 1)
    for position in (i for i, letter in enumerate(text) if letter == "-"):
        first, last = (_number(half, class_names, name) for half in (text[:position], text[position + 1 :]))
        if first is None or last is None:
            continue
        if first > last:
            raise UserError(f"the range '{text}' of '{name}' runs backwards; turn it round.")
        return range(first, last + 1)
    if _NUMBER.fullmatch(text):
        raise UserError(
            f"'{name}' has the classes 0 to {len(class_names) - 1}, not {text}; name one of them."
        )
    raise UserError(f"'{name}' has no class '{text}'; {did_you_mean(text, list(class_names))}")


def _number(text: str, class_names: Sequence[str], name: str) -> int | None:
    """The number of one class; None where nothing is called so."""
    wanted = _plain(text)
    hits = [i for i, one in enumerate(class_names) if one == text.strip()]
    hits = hits or [i for i, one in enumerate(class_names) if _plain(one) == wanted]
    if len(hits) > 1:
        numbers = ", ".join(map(str, hits))
        raise UserError(f"'{name}' has several classes '{text}'; write their numbers instead ({numbers}).")
    if hits:
        return hits[0]
    return int(wanted) if _NUMBER.fullmatch(wanted) and int(wanted) < len(class_names) else None


def _plain(text: str) -> str:
    return re.sub(r"[-_ ]+", " ", text.strip().lower())
