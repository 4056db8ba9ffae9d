"""The images on which a verb judges a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset
    from gradlab.use.trained import Trained


def images_for(trained: Trained, data: str | None, data_dir: Path | None, model: str) -> Dataset:
    """Return the data of that name, or those that the network was trained on.

    Raises:
        UserError: it does not say which, or they are a person's own, whose path in a stranger's model is not read.
    """
    from gradlab.data import DATASETS, load
    from gradlab.data.derivation import parse

    source = trained.data if data is None else data
    if source is None:
        raise UserError(f"{model} does not say what it was trained on; give --data.")
    if data is None and parse(source)[0] not in DATASETS:
        raise UserError(
            f"{model} was trained on data of your own, '{source}'; say with --data where they lie."
        )
    return load(source, data_dir, holds="images")
