"""Mistakes on the command line as one sentence that says what to do."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

import pydantic
from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from gradlab.augmentation import Mixing
from gradlab.cli._options import kinds_of
from gradlab.studies import STUDIES
from gradlab.types import did_you_mean

_KINDS = {"int": "a whole number", "float": "a number", "str": "a word", "Path": "a path"}
"""Types as a person calls them."""
_MIXINGS = kinds_of(Mixing)[0]


def sentence(error: Exception) -> str:
    """Say a mistake in one sentence."""
    if isinstance(error, UnknownCommandError):
        return _unknown_command(error)
    if isinstance(error, UnknownOptionError):
        word = str(getattr(error.token, "keyword", None) or getattr(error.token, "value", ""))
        return f"unknown option '{word}'; {did_you_mean(word, _options(error))}"
    if isinstance(error, CoercionError):
        token = error.token
        name = getattr(token, "keyword", None) or (
            error.argument.name if error.argument is not None else "value"
        )
        target = getattr(error.target_type, "__name__", str(error.target_type))
        known = _choices(error)
        hint = (
            did_you_mean(str(getattr(token, "value", "")), known)
            if known
            else f"expected {_KINDS.get(target, 'whole numbers' if 'int' in target else target)}."
        )
        value = str(getattr(token, "value", "") or "")
        if other := _elsewhere(str(name), value):
            hint = f"give it to {other}."
        if not value and error.msg:  # one of several values; the message names it
            return f"{name} {error.msg}"
        return f"{name} cannot be '{value}'; {hint}" if value else f"{name} cannot be read; {hint}"
    if isinstance(error, MissingArgumentError):
        name = error.argument.name if error.argument is not None else "an argument"
        return f"{name} needs a value; see --help for an example."
    if isinstance(error, UnusedCliTokensError):
        return f"'{' '.join(error.unused_tokens or [])}' is not understood here; see --help."
    if isinstance(error, ValidationError) and isinstance(error.__cause__, pydantic.ValidationError):
        return _invalid(error, error.__cause__)
    if isinstance(error, CycloptsError):
        return " ".join(str(error).split())
    return str(error)


def _invalid(error: ValidationError, cause: pydantic.ValidationError) -> str:
    first = cause.errors()[0]
    name = error.argument.name if error.argument is not None else "value"
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"{name} {message}, got {first['input']!r}."


def _unknown_command(error: UnknownCommandError) -> str:
    word = (error.unused_tokens or [""])[0]
    chain = [name for name in (error.command_chain or ()) if name]
    if chain and chain[-1] in ("run", "plan"):
        return f"unknown study '{word}'; {did_you_mean(word, list(STUDIES))}"
    verbs = [name for name in (error.app or ()) if not name.startswith("-")] if error.app is not None else []
    return f"unknown command '{word}'; {did_you_mean(word, verbs)}"


def _options(error: UnknownOptionError) -> list[str]:
    collection = getattr(error, "argument_collection", None)
    return [name for argument in collection or () for name in argument.names if name.startswith("--")] or [
        "--help"
    ]


def _choices(error: CoercionError) -> list[str]:
    """The words among which one had to be, also where several may be given."""
    hint = error.argument.hint if error.argument is not None else None
    for one in (error.target_type, hint):
        if get_origin(one) is Literal:
            return [str(value) for value in get_args(one)]
    return []


def _elsewhere(name: str, value: str) -> str | None:
    """The option that the word belongs to, where it is one that is easily mistaken for another."""
    return "--mixing" if name == "--augmentation" and value in _MIXINGS else None
