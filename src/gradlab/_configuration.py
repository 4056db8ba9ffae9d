"""Frozen configurations: pydantic's dataclasses whose mistakes are one sentence that says what to do."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pydantic.dataclasses
from pydantic import ValidationError

from gradlab.types import UserError, did_you_mean

MUST = {
    "int_type": "be a whole number",
    "int_parsing": "be a whole number",
    "int_from_float": "be a whole number",
    "float_type": "be a number",
    "float_parsing": "be a number",
    "bool_type": "be True or False",
    "bool_parsing": "be True or False",
    "string_type": "be a text",
    "tuple_type": "be a tuple of values",
    "greater_than": "be greater than {gt}",
    "greater_than_equal": "be at least {ge}",
    "less_than": "be less than {lt}",
    "less_than_equal": "be at most {le}",
    "finite_number": "be a finite number",
    "literal_error": "be {expected}",
    "dataclass_type": "be of type {class_name}",
    "model_attributes_type": "be a configuration with a kind",
}
"""Kind of mistake -> what the value must be; any other is said in pydantic's words."""

if TYPE_CHECKING:  # the type checker's plugin knows that one
    from pydantic.dataclasses import dataclass as dataclass
else:

    def dataclass(**options: Any) -> Callable[[type], type]:
        """Make a class a pydantic dataclass that refuses a mistake with a UserError of one sentence."""

        def make(form: type) -> type:
            made = pydantic.dataclasses.dataclass(**options)(form)
            build = made.__init__

            @functools.wraps(build)
            def init(self: Any, *values: Any, **named: Any) -> None:
                try:
                    build(self, *values, **named)
                except ValidationError as error:
                    raise UserError(sentence(error, made)) from None

            made.__init__ = init
            return made

        return make


def sentence(error: ValidationError, form: type) -> str:
    """Say in one sentence what is wrong with the values that a configuration was given."""
    found = error.errors()
    fields = [field.name for field in dataclasses.fields(form) if field.name != "kind"]
    told = [_told(one, fields) for one in found if one["type"] != "missing"]
    missing = [str(one["loc"][-1]) for one in found if one["type"] == "missing"]
    if missing:
        told.insert(0, f"{', '.join(missing)} must be given")
    text = "; ".join(one.rstrip(".") for one in told)
    return f"{form.__name__}: {text}{'' if text.endswith('?') else '.'}"


def _told(one: Any, fields: list[str]) -> str:
    place, kind = one["loc"], one["type"]
    if kind == "unexpected_keyword_argument" and len(place) == 1:
        hint = did_you_mean(str(place[0]), fields) if fields else "it has no settings"
        return f"there is no setting '{place[0]}'; {hint}"
    if kind == "unexpected_positional_argument":
        return f"settings are given by name, such as {next(iter(fields), 'kind')}={one['input']!r}"
    if kind == "value_error":  # a sentence of ours
        return str(one["msg"]).removeprefix("Value error, ")
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
    rule = {
        key: f"{value:g}" if isinstance(value, float) else value for key, value in one.get("ctx", {}).items()
    }
    must = MUST.get(kind, "").format(**rule)
    if not must:
        return f"{name}: {one['msg']}, got {one['input']!r}".lstrip(": ")
    return f"{name} must {must}, got {one['input']!r}"
