"""`gradlab train MODEL`: train one network, by its kind or by its name, and keep it as a model folder."""

from __future__ import annotations

import inspect
import json as json_module
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Group, Parameter
from rich.console import Console

from gradlab._plain import printable
from gradlab.cli._options import build, parameters_of
from gradlab.cli._studies import SHARED, _converter
from gradlab.cli._tables import counted
from gradlab.lab.running.local import usable_cores
from gradlab.models import MODELS, NETS
from gradlab.training.recipe import Recipe
from gradlab.training.recipes import named_recipe
from gradlab.training.torchrun import is_first, processes_here
from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Progress
    from gradlab.models import Model
    from gradlab.use import Training

DEFAULTS: dict[str, dict[str, Any]] = {"mlp": {"width": 64}}
"""Where a network of its own starts from another width than the twins of a study."""
OPTIONS: dict[str, tuple[Any, Any, str]] = {
    "data": SHARED["data"],
    "data_dir": SHARED["data_dir"],
    "recipe": (
        str | None,
        None,
        "a recipe by its name, see gradlab list; the options of the recipe then change single fields.",
    ),
    "out": (Path | None, None, "the model folder to write; models/MODEL-DATA where not given."),
    "runs": (Path, Path("runs"), "folder for the record that the model is written from."),
    "seed": (int, 0, "of initial weights, data order and dropout."),
    "device": SHARED["device"],
    "precision": SHARED["precision"],
    "threads": (
        int | None,
        None,
        "of PyTorch on a CPU; where not given, one, which is fastest for small networks, or with a named recipe all cores.",
    ),
    "json": (bool, False, "print what was trained as JSON."),
}
ELSEWHERE = ("precision", "snapshots", "groups")
"""Fields of a recipe that are no option of it: the first is one of the command, the others are for Python."""
NETWORK, RECIPE = Group("The network", sort_key=1), Group("The recipe", sort_key=2)

app = App(
    name="train",
    help="Train one network and keep it as a model folder; an interrupted training resumes.",
    help_epilogue="Example: gradlab train mlp --data digits --out models/digits",
    help_format="plaintext",
)


def _train(name: str | None, given: dict[str, Any]) -> int:
    """Train the model of a kind or a name; `given` are the options that were typed, others have their defaults."""
    options = {key: default for key, (_, default, _) in OPTIONS.items()} | given
    named = None if options["recipe"] is None else named_recipe(options["recipe"])
    name = name or (named.network if named else None)
    if name is None:
        raise UserError(
            "say which network to train, such as gradlab train resnet20, or a recipe, such as --recipe fast; gradlab list "
            "shows what there is."
        )
    model = _model(name, given)
    recipe = build(Recipe, _recipe(given), _fitting(named.recipe, given) if named else None)
    if "precision" in given:
        recipe = replace(recipe, precision=None)  # that of the command takes its place
    return _keep(name, model, recipe, options)


def _fitting(recipe: Recipe, given: dict[str, Any]) -> Recipe:
    """Leave out sizes of images for more epochs than are asked for."""
    return recipe if len(recipe.sizes) < given.get("epochs", recipe.epochs) else replace(recipe, sizes=())


def _model(name: str, given: dict[str, Any]) -> Model:
    """Build the configuration of a kind from what was given, or take that of a named network."""
    plain = name.strip().lower().replace("_", "-")
    if plain in MODELS:
        config = MODELS[plain]
        return build(config, DEFAULTS.get(plain, {}) | _part(config, given))  # type: ignore[no-any-return]
    if plain not in NETS:
        raise UserError(f"there is no network '{name}'; {did_you_mean(plain, [*MODELS, *NETS])}")
    return NETS[plain].config


def _keep(name: str, model: Model, recipe: Recipe, options: dict[str, Any]) -> int:
    from gradlab.data import info
    from gradlab.use import train_model

    if is_first() and "bf16" in (recipe.precision, options["precision"]):
        _say_cost(options["device"])
    cores = max(1, usable_cores() // processes_here()) if options["recipe"] else 1
    data = info(options["data"], options["data_dir"])
    folder = options["out"] or Path("models") / f"{name}-{data.name}"
    given = ("runs", "data_dir", "seed", "device", "precision")
    training = train_model(
        model,
        options["data"],
        recipe,
        out=folder,
        threads=cores if options["threads"] is None else options["threads"],
        listeners=[_listener()],
        **{key: options[key] for key in given},
    )
    if not is_first():
        return 0
    if options["json"]:
        shown = {"folder": str(folder), "was_there": training.was_there, **training.facts}
        sys.stdout.write(json_module.dumps(shown, indent=1, ensure_ascii=False) + "\n")
    else:
        _print(training, model, recipe)
    return 0


def _say_cost(device: str) -> None:
    """Say before the first epoch, which may take minutes, what bf16 costs on this machine."""
    from gradlab.training.device import resolve_device
    from gradlab.training.number_format import precision_note

    if note := precision_note("bf16", resolve_device(device)):
        Console(stderr=True, soft_wrap=True).print(note, highlight=False, markup=False)


def _part(config: type, options: dict[str, Any]) -> dict[str, Any]:
    names = inspect.signature(config).parameters
    return {key: value for key, value in options.items() if key.partition("__")[0] in names}


def _recipe(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _part(Recipe, options).items() if key not in ELSEWHERE}


def _listener() -> Callable[[Progress], None]:
    """Where stderr is no terminal, on which there is a live display, say at most ten times how far it is."""
    console = Console(stderr=True, soft_wrap=True)
    said = 0

    def listen(progress: Progress) -> None:
        nonlocal said
        tenth = int(progress.share * 10 + 1e-9)
        if not sys.stderr.isatty() and tenth > said:
            said = tenth
            console.print(progress.text, highlight=False, markup=False)

    return listen


def _print(training: Training, model: Model, recipe: Recipe) -> None:
    from gradlab.models import load, summary
    from gradlab.statistics import wilson

    facts = training.facts
    console = Console(soft_wrap=True)

    def say(text: str) -> None:
        console.print(printable(text), highlight=False, markup=False)

    if training.was_there:
        say("This model is finished; nothing was trained.")
    elif training.went_on:
        say("Went on from the checkpoint of an interrupted training.")
    for note in facts["data_notes"]:
        say(note)
    run = facts["training"]
    diverged = f" ({run['note']})" if run["note"] else ""
    shape, classes = facts["input_shape"], facts["class_names"]
    say(f"network     {model.describe(shape, len(classes))}")
    say(f"            {summary(load(training.folder), shape).describe()}")
    say(f"recipe      {recipe.describe()}")
    say(
        f"training    {run['status']}{diverged} after {counted(run['epochs'], 'epoch')}, best {run['best_epoch']}, "
        f"{run['seconds']:.1f} s"
    )
    for role, metrics in facts["metrics"].items():
        images = facts["images"][role]
        found = wilson(round(metrics["accuracy"] * images), images)
        say(
            f"{role:<11} accuracy {found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}], "
            f"loss {metrics['cross_entropy']:.4f}, {images:,} images"
        )
    if "test" not in facts["metrics"]:
        say("test        there are no test images in this data")
    say(f"Model: {training.folder}")


def _command(name: str | None, config: type | None) -> Callable[..., int]:
    """Return the command of a kind of model; without a name that of the networks with a name."""

    def command(*words: str, **options: Any) -> int:
        given = {key: value for key, value in options.items() if key != "model"}
        return _train(name or options.get("model") or next(iter(words), None), given)

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
                    show_default=default is not None and default is not False,
                ),
            ],
        )
        for key, (kind, default, text) in OPTIONS.items()
    ]
    if name is not None and config is not None:
        signature += parameters_of(config, NETWORK, DEFAULTS.get(name, {}))
    else:
        text = "a network by its name, such as resnet20; gradlab list shows them all. Left out: that of the recipe."
        kind = Annotated[str | None, Parameter(help=text)]
        first = inspect.Parameter(
            "model", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=kind
        )
        signature.insert(0, first)
    signature += [
        one for one in parameters_of(Recipe, RECIPE, {}) if one.name.partition("__")[0] not in ELSEWHERE
    ]
    command.__signature__ = inspect.Signature(signature, return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in signature}
    return command


app.default(_command(None, None))
for _name, _config in MODELS.items():
    app.command(
        _command(_name, _config),
        name=_name,
        help=(inspect.getdoc(_config) or "").splitlines()[0],
        help_epilogue=f"Example: gradlab train {_name} --data mnist --epochs 10 --out models/my-{_name}",
    )
