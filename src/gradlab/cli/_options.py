"""Options from the fields of a configuration, and the configuration from what was typed."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from gradlab.augmentation import AUGMENTATION_SETS
from gradlab.cli._studies import _converter
from gradlab.types import UserError

SETS: dict[str, Mapping[str, tuple[Any, ...]]] = {"augmentation": AUGMENTATION_SETS}
"""Field that holds a list -> lists for it that have a name."""


def parameters_of(config: type, group: Group, defaults: Mapping[str, Any]) -> list[inspect.Parameter]:
    """Return keyword parameters for the fields of a configuration, which a signature can take over.

    A field that holds one of several configurations becomes a choice by `kind` and dotted options for their fields:
    `--schedule cosine --schedule.floor 0.1`. One that holds a list of them takes kinds alone.
    """
    told, hints = field_texts(config), typing.get_type_hints(config, include_extras=True)
    found = []
    for field in dataclasses.fields(config):
        hint, own = hints[field.name], field.default
        default = defaults.get(field.name, own.default if isinstance(own, FieldInfo) else own)
        text = told.get(field.name, "")
        kinds, several = kinds_of(hint)
        if not kinds:
            found.append(_parameter(field.name, _optional(hint), default, text, group))
            continue
        choice: Any = Literal.__getitem__((*(SETS.get(field.name, {}) if several else ()), *kinds))
        kind: Any = tuple.__class_getitem__((choice, ...)) if several else choice
        found.append(_parameter(field.name, kind | None, None, text, group))
        if not several:
            found += _inner(field.name, kinds, group)
    return found


def _inner(name: str, kinds: Mapping[str, type], group: Group) -> list[inspect.Parameter]:
    """Dotted options for the fields of all kinds; one that several kinds share is one option."""
    found: dict[str, inspect.Parameter] = {}
    for config in kinds.values():
        hints = typing.get_type_hints(config, include_extras=True)
        for field in dataclasses.fields(config):
            if field.name == "kind" or kinds_of(hints[field.name])[0]:
                continue
            key = f"{name}__{field.name}"
            found[key] = _parameter(
                key, _optional(hints[field.name]) | None, None, _told(field.name, kinds), group,
                spelled=f"--{dashed(name)}.{dashed(field.name)}",
            )  # fmt: skip
    return list(found.values())


def _told(name: str, kinds: Mapping[str, type]) -> str:
    """Say what a dotted option is and what it is where it is left out, for each kind that has it."""
    owners = {kind: config for kind, config in kinds.items() if name in _names(config)}
    texts = {kind: field_texts(config).get(name, "").rstrip(".") for kind, config in owners.items()}
    defaults = {kind: _default(config, name) for kind, config in owners.items()}
    if len(set(texts.values())) > 1:
        text = "; ".join(f"of {kind}: {one}" for kind, one in texts.items())
    else:
        text = next(iter(texts.values()))
        text = text if len(owners) == len(kinds) else f"of {' and '.join(owners)}: {text}"
    if len(set(defaults.values())) > 1:
        return f"{text}; default {', '.join(f'{value} of {kind}' for kind, value in defaults.items())}."
    return f"{text}; default {next(iter(defaults.values()))}."


def _default(config: type, name: str) -> str:
    (field,) = (one for one in dataclasses.fields(config) if one.name == name)
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def build(config: type, options: Mapping[str, Any], base: Any = None) -> Any:
    """Build a configuration from parsed options; those that are None keep the value of `base`, or the field's default.

    Raises:
        UserError: a value that does not fit, named by its option.
    """
    hints = typing.get_type_hints(config, include_extras=True)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = options.get(field.name)
        if value == ():
            raise UserError(f"--{dashed(field.name)} needs at least one value; leave it out for its default.")
        kinds, several = kinds_of(hints[field.name])
        inner = {
            key.partition("__")[2]: one
            for key, one in options.items()
            if key.startswith(f"{field.name}__") and one is not None
        }
        if inner and not several:
            value = _chosen(field.name, value, kinds, inner)
        elif value is not None and kinds:
            value = _listed(SETS.get(field.name, {}), value) if several else {"kind": value}
        if value is not None:
            values[field.name] = value
        elif base is not None:
            values[field.name] = getattr(base, field.name)
    try:
        return TypeAdapter(config).validate_python(values)
    except ValidationError as error:
        raise UserError(_sentence(error)) from None


def _listed(sets: Mapping[str, tuple[Any, ...]], words: Sequence[str]) -> tuple[Any, ...]:
    """Configurations by kind, with their defaults, and those of the sets that have a name."""
    return tuple(one for word in words for one in sets.get(word, ({"kind": word},)))


def _chosen(
    name: str, kind: str | None, kinds: Mapping[str, type], inner: Mapping[str, Any]
) -> dict[str, Any]:
    option = dashed(next(iter(inner)))
    if kind is None:
        raise UserError(
            f"--{dashed(name)}.{option} needs --{dashed(name)}; give it one of {', '.join(kinds)}."
        )
    unknown = [one for one in inner if one not in _names(kinds[kind])]
    if unknown:
        own = ", ".join(sorted(f"--{dashed(name)}.{dashed(one)}" for one in _names(kinds[kind]) - {"kind"}))
        raise UserError(
            f"--{dashed(name)}.{dashed(unknown[0])} is not of {kind}, which takes {own or 'none'}."
        )
    return {"kind": kind, **inner}


def _names(config: type) -> set[str]:
    return {field.name for field in dataclasses.fields(config)}


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    place = [str(one) for one in first["loc"]]
    if not place:
        return f"{message}."
    option = ".".join(dashed(one) for one in (place[0], *place[2:]))  # without the kind
    message = message.removeprefix(f"{place[-1]} ")  # the option says it
    if ", got " in message:  # a sentence of ours
        return f"--{option} {message}."
    return f"--{option} {message[0].lower()}{message[1:]}, got {first['input']!r}."


def _parameter(
    name: str, kind: Any, default: Any, text: str, group: Group, *, spelled: str | None = None
) -> inspect.Parameter:
    is_flag = kind is bool
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if default is dataclasses.MISSING else default,
        annotation=Annotated[
            kind,
            Parameter(
                name=spelled,
                converter=_converter(kind),
                help=text,
                group=group,
                negative=None if is_flag and default is True else (),
                show_default=default not in (None, ()) and not (is_flag and default is False),
                consume_multiple=True,
            ),
        ],
    )


def kinds_of(hint: Any) -> tuple[dict[str, type], bool]:
    """Return the configurations that a field may hold, by their kind, and whether it holds a list of them."""
    found: dict[str, type] = {}
    several = False
    for one in _members(hint):
        if get_origin(one) is tuple:
            inner, _ = kinds_of(get_args(one)[0])
            found, several = found | inner, several or bool(inner)
        elif dataclasses.is_dataclass(one) and "kind" in _names(one):  # type: ignore[arg-type]
            choices = get_args(typing.get_type_hints(one)["kind"])
            found |= {str(choice): one for choice in choices}  # type: ignore[misc]
    return found, several


def _members(hint: Any) -> list[Any]:
    """Members of a union, without the annotations around them."""
    if get_origin(hint) is Annotated:
        return _members(get_args(hint)[0])
    if get_origin(hint) in (typing.Union, types.UnionType):
        return [member for one in get_args(hint) for member in _members(one)]
    return [hint]


def _optional(hint: Any) -> Any:
    """A hint without the annotations that only pydantic reads."""
    if get_origin(hint) is Annotated:
        return _optional(get_args(hint)[0])
    if get_origin(hint) in (typing.Union, types.UnionType):
        members = [_optional(one) for one in get_args(hint)]
        whole = members[0]
        for one in members[1:]:
            whole = whole | one
        return whole
    if get_origin(hint) is tuple:
        return tuple.__class_getitem__(tuple(_optional(one) for one in get_args(hint)))
    return hint


def dashed(name: str) -> str:
    """Return how an option spells a field's name."""
    return name.replace("_", "-")


def field_texts(config: type) -> dict[str, str]:
    """Return what the docstring's Attributes say about each field; several may stand in one line."""
    _, _, attributes = (inspect.getdoc(config) or "").partition("Attributes:")
    text = " ".join(attributes.split())
    names = [field.name for field in dataclasses.fields(config)]
    pieces = re.split(rf"(?:^|(?<=\s))({'|'.join(map(re.escape, names))}): ", text) if names else [""]
    return {name: told.strip() for name, told in zip(pieces[1::2], pieces[2::2], strict=True)}
