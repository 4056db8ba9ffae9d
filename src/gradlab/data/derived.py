"""Data derived from a data set in memory, as `NAME[CLASSES]#COUNT@SIZE:CHANNELS` names it."""

from __future__ import annotations

from gradlab.data._derive import derive_images, derive_texts
from gradlab.data.contents import Arrays, Part, TextPart, Texts, info_of
from gradlab.data.datasets import Dataset
from gradlab.data.derivation import parse
from gradlab.data.loading import as_tensors, as_text
from gradlab.data.text_datasets import TextDataset
from gradlab.types import UserError


def derived(data: Dataset | TextDataset, name: str) -> Dataset | TextDataset:
    """Return the data set that `name` makes of one in memory, which is left as it was.

    Args:
        name: that of `data`, with steps behind it, such as "reviews#300".

    Raises:
        UserError: another data set's name, no such class, or nothing left.
    """
    base, steps = parse(name)
    if base != data.name:
        raise UserError(f"'{name}' is not made of the data in memory, which are called '{data.name}'.")
    facts = info_of(data)
    if isinstance(data, TextDataset):
        texts = {role: TextPart(one.texts, one.labels.cpu().numpy()) for role, one in data.splits.items()}
        return as_text(derive_texts(Texts(facts, texts), steps))
    images = {
        role: Part(one.images.cpu().numpy(), one.labels.cpu().numpy()) for role, one in data.splits.items()
    }
    return as_tensors(derive_images(Arrays(facts, images), steps))
