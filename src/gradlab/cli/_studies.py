"""A command for every study: the options that all share, then the study's own from its signature."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Group, Parameter, Token
from docstring_parser import parse

from gradlab.cli._tables import say
from gradlab.lab.running.request import Executor
from gradlab.studies import STUDIES
from gradlab.studies.setup import (
    USUAL_DATA,
    Network,
    Preset,
    Study,
    is_python_only,
    parameters_of,
    usual_data,
)
from gradlab.training.recipe import Precision
from gradlab.types import UserError, did_you_mean

SHARED: dict[str, tuple[Any, Any, str]] = {
    "preset": (
        Preset,
        "quick",
        "quick: about a minute; standard: a laptop, at most half an hour; full: as published.",
    ),
    "data": (
        str,
        USUAL_DATA,
        "a name that `gradlab data list` shows, a folder of class folders, or a Parquet or CSV file.",
    ),
    "data_dir": (
        Path | None,
        None,
        "folder of the data sets, one folder of Parquet files each; GRADLAB_DATA if not given.",
    ),
    "seeds": (int, 6, "how many repetitions, paired across arms."),
    "first_seed": (int, 0, "number of the first seed; another one repeats the study on fresh seeds."),
    "device": (str, "auto", "auto, cpu, cuda, cuda:1 or mps."),
    "executor": (
        Executor,
        "local",
        "local: worker processes of this machine; ray: those of a Ray cluster (docs/cluster.md).",
    ),
    "address": (
        str | None,
        None,
        "head of the Ray cluster, such as 10.0.0.1:6379, or auto; this machine alone if not given.",
    ),
    "precision": (Precision, "fp32", "fp32, bf16, fp16 (not on a CPU) or fp64."),
    "out": (Path, Path("runs"), "folder for records and reports."),
    "store": (
        str | None,
        None,
        "object store that machines without a common folder share, such as s3://bucket/study: finished runs are fetched from "
        "there and kept there (docs/cluster.md).",
    ),
    "records": (
        tuple[Path, ...],
        (),
        "further --out folders whose finished runs count as done; they are only read. Repeat it for several.",
    ),
}
RUN_ONLY: dict[str, tuple[Any, Any, str]] = {
    "tracker": (
        tuple[Literal["tensorboard", "wandb"], ...],
        (),
        "also write the epochs to TensorBoard or W&B (offline).",
    ),
    "open": (bool, False, "open the report in a browser."),
}
JSON: dict[str, tuple[Any, Any, str]] = {"json": (bool, False, "print the results as JSON.")}
OWN = Group("Parameters of this study", sort_key=1)


def study_app(
    verb: str,
    help_text: str,
    call: Callable[..., int],
    extra: dict[str, tuple[Any, Any, str]],
) -> App:
    """Return the verb as an app with one command a study; `call` gets the study's name and all options."""
    app = App(
        name=verb,
        help=help_text,
        help_epilogue=f"Example: gradlab {verb} {next(iter(STUDIES))}",
        help_format="plaintext",
    )
    for name, study in STUDIES.items():
        summary = (inspect.getdoc(study) or "").splitlines()[0]
        app.command(
            _command(name, study, call, SHARED | _data_of(study) | extra | JSON),
            name=name,
            help=summary,
            help_epilogue=f"Example: gradlab {verb} {name} --seeds 3",
        )
    app.default(_names_none(verb))
    return app


def _data_of(study: Study) -> dict[str, tuple[Any, Any, str]]:
    kind, _, text = SHARED["data"]
    return {"data": (kind, usual_data(study), text)}


def _names_none(verb: str) -> Callable[..., int]:
    def which(*words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]) -> int:
        """List the studies, since none is named."""
        if words:
            raise UserError(f"unknown study '{words[0]}'; {did_you_mean(words[0], list(STUDIES))}")
        lines = [
            f"{name:<20} {(inspect.getdoc(study) or '').splitlines()[0]}" for name, study in STUDIES.items()
        ]
        example = f"gradlab {verb} {next(iter(STUDIES))}"
        say("\n".join([f"Which study? For example: {example}", "", *lines]))
        return 2

    return which


def _whole_numbers(_kind: Any, tokens: Sequence[Token]) -> Any:
    """Read whole numbers and nothing near them: 2.5 layers or seeds are a mistake, not two."""
    wrong = [token.value for token in tokens if not re.fullmatch(r"[+-]?[0-9]+", token.value)]
    if wrong:
        raise ValueError(f"takes whole numbers, got '{wrong[0]}'.")
    return tuple(int(token.value) for token in tokens)


def _one_whole_number(kind: Any, tokens: Sequence[Token]) -> Any:
    return _whole_numbers(kind, tokens)[0]


def _converter(hint: Any) -> Callable[..., Any] | None:
    """Choose the strict reading for options of whole numbers; None leaves it to the program's library."""
    text = str(hint)
    if "int" not in text or "float" in text or "Literal" in text:
        return None
    return _whole_numbers if "tuple" in text else _one_whole_number


def _command(
    name: str, study: Study, call: Callable[..., int], shared: dict[str, tuple[Any, Any, str]]
) -> Callable[..., int]:
    def command(**options: Any) -> int:
        defaults = {key: default for key, (_, default, _) in shared.items()}
        for key, value in options.items():
            if value == () and key not in shared:
                raise UserError(
                    f"--{key.replace('_', '-')} needs at least one value; leave it out for its default."
                )
        return call(name, **(defaults | options))

    hints = {
        key: str | None if hint == Network | None else hint  # a place, which `prepare` makes a network of
        for key, hint in typing.get_type_hints(study, include_extras=True).items()
    }
    told = {entry.arg_name: entry.description or "" for entry in parse(inspect.getdoc(study) or "").params}
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = [
        inspect.Parameter(
            key,
            keyword,
            default=default,
            annotation=Annotated[
                kind,
                Parameter(
                    converter=_converter(kind),
                    help=text,
                    negative=(),
                    show_default=default not in (None, ()) and default is not False,
                ),
            ],
        )
        for key, (kind, default, text) in shared.items()
    ]
    signature += [
        inspect.Parameter(
            key,
            keyword,
            default=parameter.default,
            annotation=Annotated[
                hints[key],
                Parameter(
                    converter=_converter(hints[key]),
                    help=told.get(key, ""),
                    group=OWN,
                    negative=(),
                    consume_multiple=True,
                ),
            ],
        )
        for key, parameter in parameters_of(study).items()
        if not is_python_only(hints[key])
    ]
    command.__signature__ = inspect.Signature(signature, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
    return command
