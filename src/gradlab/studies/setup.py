"""What every study is told, and how its parameters are checked and filled in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass as plain
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import PlainValidator, TypeAdapter, ValidationError

from gradlab._configuration import dataclass
from gradlab.data.catalogue import list_datasets
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Procedure, dump_procedure, read_procedure
from gradlab.procedures.registry import PROCEDURES
from gradlab.training.recipe import Precision
from gradlab.types import STRICT, UserError, did_you_mean

Preset = Literal["quick", "standard", "full"]
PRESETS: tuple[Preset, ...] = ("quick", "standard", "full")
SMALL = 10_000
USUAL_DATA = "digits"
"""Data of a study where nothing is said; it is embedded."""
PYTHON_ONLY = "only in Python"
"""Mark of a parameter that no command line can spell: `Annotated[..., PYTHON_ONLY]`."""
TEXTS = ("rotten-tomatoes", "sst2", "subj", "trec")
"""Data sets on whose training sentences an encoder of texts is pre-trained."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Setup:
    """Where a study runs.

    Attributes:
        preset: how much is run. data: name of the data set. train_images: it has for training.
        class_count: its classes. checksum: of its content. precision: number format of the runs.
        image_size: the shorter side of an image, in pixels. channels: 1 for grey images, 3 for colour.
        first_seed: of the repetitions; what is done once for all of them takes the network of this one.
        beside: of the further data that the study is marked with, those that are here; None where nobody has looked.
    """

    preset: Preset
    data: str
    train_images: int
    class_count: int
    checksum: str = ""
    precision: Precision = "fp32"
    image_size: int = 28
    channels: int = 1
    first_seed: int = 0
    beside: tuple[str, ...] | None = None

    @property
    def is_small(self) -> bool:
        """Whether the data needs the recipe for small data (fewer than 10,000 training images)."""
        return self.train_images < SMALL


@plain(frozen=True)
class On:
    """Mark of a setup: data that a study takes where nothing is said, `Annotated[Setup, On("rotten-tomatoes")]`."""

    data: str


@plain(frozen=True)
class Beside:
    """Mark of a setup: further data, by name, which a study uses where they are here."""

    names: tuple[str, ...]


def _marks(study: Study) -> tuple[Any, ...]:
    """Return the marks of a study's setup."""
    first = next(iter(inspect.signature(study).parameters), None)
    hints = get_type_hints(study, include_extras=True) if first is not None else {}
    return getattr(hints.get(str(first)), "__metadata__", ())


def usual_data(study: Study) -> str:
    """Return the data that a study takes where nothing is said: what its setup is marked with, else digits."""
    return next((mark.data for mark in _marks(study) if isinstance(mark, On)), USUAL_DATA)


def beside_of(study: Study, data_dir: str | Path | None) -> tuple[str, ...] | None:
    """Return which of the further data that a study's setup is marked with are here, downloading nothing; None without a mark."""
    wanted = next((mark.names for mark in _marks(study) if isinstance(mark, Beside)), None)
    if wanted is None:
        return None
    return tuple(one.name for one in list_datasets(data_dir) if one.here and one.name in wanted)


def _network(value: Any) -> Any:
    if isinstance(value, Procedure):
        return value
    if isinstance(value, Mapping):
        return read_procedure(value, PROCEDURES)
    raise ValueError("a network is a module, the path of a model folder, or a record")


Network = Annotated[Any, PlainValidator(_network)]
"""A network that is there already: `running` has made a source of a module, a folder, a file, or a record."""
Study = Callable[..., Design]
TextSetup = Annotated[Setup, On("rotten-tomatoes")]
PairsSetup = Annotated[Setup, On("coloured-digits"), Beside(TEXTS)]
"""Setups of studies of texts, and of CLIP, which needs classes whose names share words; the latter data are embedded."""


def parameters_of(study: Study) -> dict[str, inspect.Parameter]:
    """Return the study's own parameters: those after the setup."""
    return dict(list(inspect.signature(study).parameters.items())[1:])


def changed_parameters(study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are not what they are by default, as a report's name tells them."""
    known = parameters_of(study)
    there = {name: given[name] for name in known if given.get(name) is not None}
    changed = {name: one for name, one in there.items() if one != known[name].default}
    return {name: getattr(one, "digest", getattr(one, "record", one)) for name, one in changed.items()}


def plain_parameters(study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as plain JSON data, from which `build_design` makes the same design."""
    hints = get_type_hints(study, include_extras=True)
    return {
        name: dump_procedure(one) if isinstance(one, Procedure) else _plain(hints[name], one)
        for name, one in given.items()
        if one is not None
    }


def _plain(hint: Any, value: Any) -> Any:
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    return adapter.dump_python(adapter.validate_python(value), mode="json")


def is_python_only(hint: Any) -> bool:
    """Whether a parameter of this type is left out of the command line."""
    return PYTHON_ONLY in getattr(hint, "__metadata__", ())


def build_design(study: Study, name: str, setup: Setup, parameters: Mapping[str, Any]) -> Design:
    """Call a study with checked parameters.

    Raises:
        UserError: an unknown parameter (the nearest is suggested) or a value that does not fit its type.
    """
    known = parameters_of(study)
    for given in parameters:
        if given not in known:
            raise UserError(f"study '{name}' has no parameter '{given}'; {did_you_mean(given, list(known))}")
    hints = get_type_hints(study, include_extras=True)
    checked = {}
    for given, value in parameters.items():
        try:
            checked[given] = TypeAdapter(hints.get(given, Any)).validate_python(value)
        except ValidationError as error:
            shown = tuple(value) if isinstance(value, (list, tuple)) else value
            raise UserError(f"{given}={shown!r} does not fit study '{name}': {_first(error)}") from None
    design = study(setup, **checked)
    if not isinstance(design, Design):
        raise UserError(f"study '{name}' must return a gradlab.lab.Design, got {type(design).__name__}.")
    return design


def _first(error: ValidationError) -> str:
    """Say the first finding as the end of a sentence."""
    message = str(error.errors()[0]["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{message[0].lower()}{message[1:]}."
