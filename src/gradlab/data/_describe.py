"""The facts about divided parts: counts, checksum, channel statistics, copies."""

from __future__ import annotations

from collections.abc import Mapping

from gradlab.data import _facts
from gradlab.data._divide import Names
from gradlab.data.contents import Arrays, DataInfo, Part, TextPart, Texts
from gradlab.data.registry import Role


def images(
    name: str,
    parts: dict[Role, Part],
    class_names: tuple[str, ...],
    notes: list[str],
    names: Names | None = None,
) -> Arrays:
    """State the facts about images; copies are named by `names`, by their index in the part where not given."""
    digests: dict[str, str] = {role: _facts.digest(p.images, p.labels) for role, p in parts.items()}
    shape = next(iter(parts.values())).images.shape
    mean, std = _facts.channel_statistics(parts["train"].images) if "train" in parts else ((), ())
    copied = _facts.copies({role: part.images for role, part in parts.items()}, names)
    facts = DataInfo(
        name=name,
        checksum=_facts.checksum(digests, class_names),
        counts=_counts(parts),
        input_shape=(shape[1], shape[2], shape[3]),
        class_names=class_names,
        mean=mean,
        std=std,
        notes=(*notes, *copied),
        digests=digests,
    )
    return Arrays(facts, parts)


def texts(name: str, parts: dict[Role, TextPart], class_names: tuple[str, ...], notes: list[str]) -> Texts:
    """State the facts about sentences."""
    digests: dict[str, str] = {role: _facts.text_digest(p.texts, p.labels) for role, p in parts.items()}
    copied = _facts.text_copies({role: part.texts for role, part in parts.items()})
    facts = DataInfo(
        name=name,
        checksum=_facts.checksum(digests, class_names),
        counts=_counts(parts),
        input_shape=(),
        class_names=class_names,
        mean=(),
        std=(),
        notes=(*notes, *copied),
        digests=digests,
        holds="text",
    )
    return Texts(facts, parts)


def _counts(parts: Mapping[Role, Part] | Mapping[Role, TextPart]) -> dict[str, int]:
    return {role: len(part.labels) for role, part in parts.items()}
