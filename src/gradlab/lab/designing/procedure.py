"""What a run does, as data: frozen configurations that may hold other configurations, and how these become JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationInfo

from gradlab._configuration import dataclass as configuration
from gradlab.types import STRICT, UserError

Kinds = Mapping[str, Any]
"""Kind of a procedure -> its `gradlab.lab.kinds.Kind`."""


class Procedure:
    """Base of the configurations: what is done, with what, without seed, device or place.

    A subclass is a frozen pydantic dataclass with a field `kind`; its fields are plain values, names of data
    (`DataName`), and other procedures (`Input`) whose records it reads.
    """

    kind: str


@dataclass(frozen=True)
class Role:
    """Marks a field: "data" or "weights" for a name whose content counts, "input" for another procedure."""

    name: Literal["data", "weights", "input"]


DataName = Annotated[str, Role("data")]
"""Name or path of data; in a hash the checksum of its content takes its place."""
WeightsName = Annotated[str, Role("weights")]
"""Path of a weights file; likewise."""


def dump_procedure(procedure: Procedure) -> dict[str, Any]:
    """Return a procedure as plain JSON data, its inputs inside."""
    return _adapter(_form(procedure)).dump_python(procedure, mode="json")  # type: ignore[no-any-return]


def read_procedure(data: Any, kinds: Kinds) -> Procedure:
    """Rebuild a procedure from what `dump_procedure` returned.

    Raises:
        UserError: a kind that this version does not know.
    """
    if not isinstance(data, Mapping) or data.get("kind") not in (*kinds, "pick"):
        shown = data.get("kind") if isinstance(data, Mapping) else data
        raise UserError(f"there is no kind of procedure called {shown!r:.60}; known are {', '.join(kinds)}.")
    form = Pick if data["kind"] == "pick" else kinds[data["kind"]].configuration
    return _adapter(form).validate_python(dict(data), context=kinds)  # type: ignore[no-any-return]


def _form(procedure: Procedure) -> Any:
    return type(procedure)


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def _read_input(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Procedure):
        return value
    if info.context is None:
        raise ValueError(f"an input is a procedure, such as Train(...), got {type(value).__name__}")
    return read_procedure(value, info.context)


Input = Annotated[Any, PlainValidator(_read_input), PlainSerializer(dump_procedure), Role("input")]
"""A field that holds another procedure, whose record the work reads."""


@configuration(frozen=True, kw_only=True, config=STRICT)
class Pick(Procedure):
    """Stands for one of several procedures: in every seed the one that is best by a measure on validation data.

    It has no record of its own; each seed chooses for itself, so that the spread over seeds holds that of the choice.

    Attributes:
        among: procedures of one kind. by: the measure; any that is not on validation data is refused.
    """

    kind: Literal["pick"] = "pick"
    among: tuple[Input, ...]
    by: str = "validation loss"

    def __post_init__(self) -> None:
        if not self.among or len({type(one) for one in self.among}) > 1:
            raise UserError("a Pick chooses among at least one procedure, all of one kind.")


@cache
def roles(form: Any) -> dict[str, str]:
    """Return field -> "data", "weights" or "input" of a configuration's marked fields, tuples of such included."""
    found = {}
    for name, hint in get_type_hints(form, include_extras=True).items():
        role = _role(hint) or next((_role(one) for one in get_args(hint) if _role(one)), None)
        if role:
            found[name] = role
    return found


def _role(hint: Any) -> str | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((one.name for one in hint.__metadata__ if isinstance(one, Role)), None)


def inputs_of(procedure: Procedure) -> Iterator[tuple[str, Procedure]]:
    """Yield (name, procedure) of the inputs; those of a tuple are called name.0, name.1, …"""
    for name in _marked(procedure, "input"):
        value = getattr(procedure, name)
        if isinstance(value, tuple):
            yield from ((f"{name}.{number}", one) for number, one in enumerate(value))
        elif value is not None:
            yield name, value


def names_of(procedure: Procedure, role: Literal["data", "weights"] = "data") -> list[str]:
    """Return the names of data (or weights) that a procedure itself reads, each once."""
    found: list[str] = []
    for name in _marked(procedure, role):
        value = getattr(procedure, name)
        found += value if isinstance(value, tuple) else [] if value is None else [value]
    return list(dict.fromkeys(found))


def walk(procedure: Procedure) -> Iterator[Procedure]:
    """Yield a procedure and everything that it rests on, itself first."""
    yield procedure
    for _, one in inputs_of(procedure):
        yield from walk(one)


def _marked(procedure: Procedure, role: str) -> list[str]:
    known = roles(_form(procedure))
    return [one.name for one in fields(procedure) if known.get(one.name) == role]  # type: ignore[arg-type]
