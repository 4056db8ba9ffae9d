"""`gradlab.run` and `gradlab.plan`: a study, shipped or of one's own, from its parameters to its report."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from gradlab.data import info
from gradlab.data.contents import DataInfo, info_of
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Procedure, names_of, walk
from gradlab.lab.kinds import Kind
from gradlab.lab.records.adopting import adopt
from gradlab.lab.records.finding import find_record
from gradlab.lab.records.wanted import records_named
from gradlab.lab.running.desk import place_of
from gradlab.lab.running.kept import keep
from gradlab.lab.running.locks import STUDY, exclusive, shared
from gradlab.lab.running.naming import report_name
from gradlab.lab.running.run import Request, device_kind, judge_design, make_ready
from gradlab.lab.running.worker import disk_message
from gradlab.models.mlp import MLP
from gradlab.procedures.sources import FromRecord, Saved
from gradlab.procedures.toolbox import toolbox_with
from gradlab.report.index import write_index
from gradlab.reporting import write_when_changed
from gradlab.result import Result
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies.setup import PRESETS, Preset, Study, changed_parameters, plain_parameters
from gradlab.training.recipe import Precision
from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from gradlab.data import Dataset
    from gradlab.lab.planning import StudyPlan

DEFAULT_SEEDS = 6
MOST_SEEDS = 10_000


def run(
    study: str | Study | Design,
    *,
    preset: Preset = "quick",
    data: str | Path | Dataset = "digits",
    data_dir: str | Path | None = None,
    seeds: int = DEFAULT_SEEDS,
    first_seed: int = 0,
    device: str = "auto",
    precision: Precision = "fp32",
    out: str | Path = "runs",
    records: Sequence[str | Path] = (),
    tracker: str | Sequence[str] = (),
    progress: bool | None = None,
    procedures: Sequence[Kind] = (),
    command: str | None = None,
    **parameters: Any,
) -> Result:
    """Run a study and write its report; what has been run before is not run again.

    Args:
        study: a name that `gradlab list` shows, a function (setup, parameters) -> Design, or a Design.
        preset: "quick" (about a minute), "standard" (a laptop, at most half an hour) or "full" (as published).
        data: a name that `gradlab data list` shows, a path, or a Dataset.
        data_dir: where data sets lie; GRADLAB_DATA if not given.
        seeds: how many, paired across arms. first_seed: of them; another one repeats the study afresh.
        device: "auto", "cpu", "cuda" or "mps". precision: "fp32", "bf16", "fp16" (not on a CPU) or "fp64".
        out: folder that holds records and reports.
        records: further such folders, whose finished runs count as done; they are only read, and what is used of them is
            copied, so that `out` stays whole by itself.
        tracker: "tensorboard", "wandb", or several.
        progress: live display on stderr; by default as the terminal allows.
        procedures: kinds of your own that the study uses; they run in this process.
        command: how to run this again, for the report.
        parameters: the study's own, such as depths=(2, 32).

    Raises:
        UserError: one sentence that says what to mend; finished runs are kept.
    """
    design, request, _ = prepare(
        study,
        preset=preset,
        data=data,
        data_dir=data_dir,
        seeds=seeds,
        first_seed=first_seed,
        device=device,
        precision=precision,
        out=out,
        records=records,
        parameters=parameters,
        command=command,
        procedures=procedures,
    )
    from gradlab.lab.planning import out_of_reach
    from gradlab.lab.running.progress import study_progress
    from gradlab.lab.running.trackers import check_tracker, open_trackers

    names = (tracker,) if isinstance(tracker, str) else tuple(tracker)
    folder = request.out / "reports" / request.report
    for name in names:
        check_tracker(name)
    make_ready(request)
    try:
        with (
            shared(request.out / "work" / STUDY),
            open_trackers(names, request.out, design) as track,
            study_progress(progress) as show,
        ):
            waiting = list(out_of_reach(design, request))

            def hear(event: dict[str, Any]) -> None:
                show(event)
                track(event)
                while (
                    event["event"] == "start" and event["units"] and waiting
                ):  # said once, where there is work to do
                    show({"event": "told", "text": waiting.pop(0)})

            judged = judge_design(design, request, on_event=hear)
            adopt(records_named(judged.results), request.store)
            with exclusive(request.out / "work" / f"{folder.name}.lock"):
                write_when_changed(judged.results, folder)
                keep(folder, judged.key)
            with exclusive(request.out / "work" / "index.lock"):
                write_index(folder.parent)
    except OSError as error:
        raise UserError(disk_message(error)) from error
    return Result(judged.results, folder)


def plan(study: str | Study | Design, **arguments: Any) -> StudyPlan:
    """Say what a study would cost and what it could detect, before anything runs; arguments as for `run`."""
    from gradlab.lab.planning import plan_design

    needed = inspect.signature(prepare).parameters
    defaults = {
        name: one.default
        for name, one in inspect.signature(run).parameters.items()
        if name in needed and one.kind is one.KEYWORD_ONLY
    }
    given = {name: arguments.pop(name) for name in list(arguments) if name in defaults}
    design, request, facts = prepare(study, parameters=arguments, **(defaults | given))
    del facts
    return plan_design(design, request)


def prepare(
    study: str | Study | Design,
    *,
    preset: str,
    data: str | Path | Dataset,
    data_dir: str | Path | None,
    seeds: int,
    first_seed: int,
    device: str,
    precision: Precision,
    out: str | Path,
    records: Sequence[str | Path] = (),
    parameters: Mapping[str, Any],
    command: str | None,
    procedures: Sequence[Kind] = (),
) -> tuple[Design, Request, DataInfo]:
    """Check what is asked for and fill in the study's design, without running anything."""
    name, build = _study_of(study)
    _check(preset, data, seeds, first_seed, precision)
    memory = {} if isinstance(data, (str, Path)) else {data.name: data}
    facts = info(data, data_dir) if isinstance(data, (str, Path)) else info_of(data)
    given, modules, beside = _own_networks(parameters, facts, Path(out))
    folder = None if data_dir is None else str(data_dir)
    places = {} if memory else {facts.name: str(data)}
    request = Request(
        toolbox=toolbox_with(procedures),
        preset=preset,
        data=facts.name,
        info=_informer(facts, folder, places),
        data_dir=folder,
        places=places,
        memory=memory,
        seeds=tuple(range(first_seed, first_seed + seeds)),
        out=Path(out),
        records=(*_record_folders(records), *beside),
        device=device,
        precision=precision,
        modules=modules,
    )
    for part in ("train", "test"):
        if not facts.counts.get(part):
            raise UserError(
                f"'{facts.name}' has no {part} part here, and study '{name}' needs them; choose other data."
            )
    setup = Setup(
        preset=preset,  # type: ignore[arg-type]
        data=facts.name,
        train_images=facts.counts["train"],
        class_count=len(facts.class_names),
        checksum=facts.checksum,
        precision=precision,
        image_size=min(facts.input_shape[1:], default=0),
        channels=facts.input_shape[0] if facts.input_shape else 0,
    )
    design = build_design(build, name, setup, given)
    _check_design(design, request)
    changed = _changed(seeds=seeds, first_seed=first_seed, precision=precision, device=device)
    shown = {"preset": preset, "data": facts.name, "seeds": seeds}
    shown |= {key: one for key, one in changed.items() if key != "device"} | dict(parameters)
    shown |= {"procedures": {kind.name: kind for kind in procedures}} if procedures else {}
    own = not isinstance(study, str) or any(isinstance(one, Procedure) for one in parameters.values())
    told = command or _command(study, shown, in_python=bool(own or memory or modules))
    report = report_name(design.study, facts.name, preset, changed_parameters(build, given) | changed)
    asked = {"setup": asdict(setup), "parameters": plain_parameters(build, given)}
    return design, replace(request, command=told, report=report, asked=asked), facts


def _changed(**asked: Any) -> dict[str, Any]:
    """Return what was asked for that is not the default of `run`."""
    usual = inspect.signature(run).parameters
    changed = {name: value for name, value in asked.items() if value != usual[name].default}
    if "device" in changed and device_kind(changed["device"]) == device_kind("auto"):
        del changed["device"]
    return changed


def _study_of(study: object) -> tuple[str, Study]:
    """Return a study's name and function: a shipped one's, a function of one's own, or one that returns a finished design."""
    if isinstance(study, Design):
        return study.study, lambda _setup: study
    if callable(study):
        return getattr(study, "__name__", "own").replace("_", "-"), study
    if not isinstance(study, str) or study not in STUDIES:
        raise UserError(f"unknown study '{study}'; {did_you_mean(str(study), list(STUDIES))}")
    return study, STUDIES[study]


def _check(preset: str, data: object, seeds: object, first_seed: object, precision: str) -> None:
    """Refuse what no study can run with, each in one sentence."""
    if preset not in PRESETS:
        raise UserError(f"unknown preset '{preset}'; {did_you_mean(str(preset), PRESETS)}")
    if precision not in get_args(Precision):
        raise UserError(
            f"unknown precision '{precision}'; {did_you_mean(str(precision), get_args(Precision))}"
        )
    if not isinstance(seeds, int) or isinstance(seeds, bool) or seeds < 1:
        raise UserError(f"seeds counts repetitions and must be at least 1, got {seeds!r}; 6 is the default.")
    if seeds > MOST_SEEDS:
        raise UserError(f"seeds go up to {MOST_SEEDS:,}, got {seeds:,}; 6 is the default.")
    if not isinstance(first_seed, int) or isinstance(first_seed, bool) or not 0 <= first_seed < 2**31:
        raise UserError(f"first_seed must be a whole number from 0 to 2147483647, got {first_seed!r}.")
    if not isinstance(data, (str, Path)) and type(data).__name__ != "Dataset":
        raise UserError(
            f"data must be a name, a path or a gradlab.data.Dataset, got {type(data).__name__}; "
            "gradlab.data.from_tensors(images, labels) makes one."
        )


def _check_design(design: Design, request: Request) -> None:
    """Refuse procedures of unknown kinds, and a design that has nothing to do with the data that the report will name."""
    parts = [part for procedure in design.procedures for part in walk(procedure)]
    unknown = [part.kind for part in parts if part.kind not in (*request.toolbox.kinds, "pick")]
    if unknown:
        raise UserError(
            f"study '{design.study}' has runs of kind '{unknown[0]}', which gradlab does not know; pass its Kind: "
            "procedures=[...]."
        )
    read = list(dict.fromkeys(name for part in parts for name in names_of(part)))
    if read and not any(place_of(name, {request.data: ""}) != name for name in read):
        raise UserError(
            f"study '{design.study}' reads {', '.join(read)}, not '{request.data}'; say so with data=...."
        )


def _record_folders(places: Sequence[str | Path]) -> tuple[Path, ...]:
    """Return the folders of records in --out folders, or such folders themselves."""
    found = []
    for place in (places,) if isinstance(places, str | Path) else places:
        folder = Path(place) / "records" if (Path(place) / "records").is_dir() else Path(place)
        if not folder.is_dir():
            raise UserError(
                f"records names folders with finished runs, and {place} is none; give an --out folder."
            )
        found.append(folder)
    return tuple(found)


def _informer(main: DataInfo, folder: str | None, places: Mapping[str, str]) -> Callable[[str], DataInfo]:
    """Return what tells the facts about data by name, each looked up once."""
    known = {main.name: main}

    def tell(name: str) -> DataInfo:
        if name not in known:
            if not places:
                raise UserError(
                    f"the study reads '{name}' as well, which cannot be derived from data in memory; give it a name or path."
                )
            known[name] = info(place_of(name, places), folder)
        return known[name]

    return tell


def _own_networks(
    parameters: Mapping[str, Any], facts: DataInfo, out: Path
) -> tuple[dict[str, Any], dict[str, Any], tuple[Path, ...]]:
    """Replace a user's own networks among the parameters by how specs know them.

    Returns: the parameters, what makes the networks of this process, and the folder of a record that lies elsewhere.
    """
    given, modules = dict(parameters), dict[str, Any]()
    beside: tuple[Path, ...] = ()
    model, models = parameters.get("model"), parameters.get("models")
    if model is not None:
        given["model"], beside = _network(model, modules, facts, out)
    if isinstance(models, Mapping):
        from gradlab.procedures._modules import as_factory, describe_factory

        given["models"] = dict(models)
        for name, network in models.items():
            if not isinstance(network, (MLP, Mapping)):
                modules[name] = as_factory(name, network)
                given["models"][name] = describe_factory(name, modules[name], facts.input_shape)
    return given, modules, beside


def _network(
    value: Any, modules: dict[str, Any], facts: DataInfo, out: Path
) -> tuple[Procedure, tuple[Path, ...]]:
    """Return the source that stands for a network: a module, a model folder, a record, or weights in a file.

    Raises:
        UserError: nothing of that kind is there.
    """
    if isinstance(value, Procedure):
        return value, ()
    if not isinstance(value, (str, Path)):
        from gradlab.procedures._modules import describe_given

        modules["model"] = value
        return describe_given("model", value, facts.input_shape), ()
    path = Path(value)
    folder = path.parent if path.name in ("model.safetensors", "model.json") else path
    if (folder / "model.json").is_file():
        return Saved(folder=str(folder / "model.json")), ()
    if path.is_file():
        raise UserError(
            f"{path} holds no network by itself; give the folder of a model, or in Python "
            "model=Pretrained(model=..., weights=...)."
        )
    record = find_record(value, out, what="model")
    return FromRecord(record=record.hash), (record.folder.parent,)


def _command(study: str | Study | Design, options: Mapping[str, Any], *, in_python: bool) -> str:
    """Say how to run this again; a user's own objects stand there by their names."""
    if not isinstance(study, str) or in_python:
        named = repr(study) if isinstance(study, str) else getattr(study, "__name__", "design")
        shown = ", ".join(f"{name}={_told(value)}" for name, value in options.items())
        return f"gradlab.run({named}, {shown})"
    words = ["gradlab", "run", study]
    for name, value in options.items():
        if value is not None:
            values = value if isinstance(value, (list, tuple)) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words)


def _told(value: Any) -> str:
    """Write a parameter as Python would; networks by their names or classes."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(map(str, value))}}}"
    return (
        repr(value)
        if value is None or isinstance(value, (str, Path, int, float, tuple, list))
        else type(value).__name__
    )
