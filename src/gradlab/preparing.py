"""What a study is asked: checked, its design filled in, networks of one's own named; nothing runs."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from gradlab.data import info, parse
from gradlab.data.contents import DataInfo, info_of
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.kinds import Kind
from gradlab.lab.records.finding import find_record, names_record
from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.running.desk import place_of
from gradlab.lab.running.naming import report_name
from gradlab.lab.running.ray import check_ray
from gradlab.lab.running.ready import device_kind
from gradlab.lab.running.refusing import refuse_unfit
from gradlab.lab.running.request import Executor, Request
from gradlab.models.mlp import MLP
from gradlab.procedures.pretrained_clip import clip_source
from gradlab.procedures.sources import FromRecord, Saved
from gradlab.procedures.text_encoder import encoder_source
from gradlab.procedures.toolbox import toolbox_with
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies.setup import PRESETS, Study, beside_of, changed_parameters, plain_parameters, usual_data
from gradlab.training.recipe import Precision
from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from gradlab.data import Dataset, TextDataset

DEFAULT_SEEDS = 6
MOST_SEEDS = 10_000
USUAL: dict[str, Any] = {"seeds": DEFAULT_SEEDS, "first_seed": 0, "precision": "fp32", "device": "auto"}
"""What is asked for where nothing is said."""


def prepare(
    study: str | Study | Design,
    *,
    preset: str,
    data: str | Path | Dataset | TextDataset | None,
    data_dir: str | Path | None,
    seeds: int,
    first_seed: int,
    device: str,
    precision: Precision,
    out: str | Path,
    records: Sequence[str | Path] = (),
    parameters: Mapping[str, Any],
    command: str | None,
    executor: Executor = "local",
    address: str | None = None,
    store: str | None = None,
    procedures: Sequence[Kind] = (),
) -> tuple[Design, Request, DataInfo]:
    """Check what is asked for and fill in the study's design, without running anything."""
    name, build = _study_of(study)
    data = usual_data(build) if data is None else data
    _check(preset, data, seeds, first_seed, precision)
    _check_place(executor, address, out)
    memory: dict[str, Any] = {} if isinstance(data, (str, Path)) else {data.name: data}
    facts = info(data, data_dir) if isinstance(data, (str, Path)) else info_of(data)
    given, modules, beside = _own_networks(parameters, facts, Path(out))
    folder = None if data_dir is None else str(data_dir)
    places = {} if memory else {facts.name: str(data)}
    request = Request(
        toolbox=toolbox_with(procedures),
        preset=preset,
        data=facts.name,
        info=_informer(facts, folder, places, memory),
        data_dir=folder,
        places=places,
        memory=memory,
        seeds=tuple(range(first_seed, first_seed + seeds)),
        out=Path(out),
        records=(*_record_folders(records), *beside),
        device=device,
        precision=precision,
        modules=modules,
        executor=executor,
        objects=None if store is None else ObjectStore(str(store)),
        address=address or (os.environ.get("RAY_ADDRESS") if executor == "ray" else None),
    )
    setup = _setup(name, preset, facts, precision, first_seed, beside_of(build, folder))
    design = build_design(build, name, setup, given)
    refuse_unfit(design, request)
    changed = _changed(executor, seeds=seeds, first_seed=first_seed, precision=precision, device=device)
    asked = {"preset": preset, "data": facts.name, "seeds": seeds} | changed
    told = replace(
        request,
        command=command
        or _command_of(study, asked, parameters, procedures, lives_here=bool(memory or modules)),
        report=report_name(design.study, facts.name, preset, changed_parameters(build, given) | changed),
        asked={"setup": asdict(setup), "parameters": plain_parameters(build, given)},
    )
    return design, told, facts


def _command_of(
    study: str | Study | Design,
    asked: Mapping[str, Any],
    parameters: Mapping[str, Any],
    procedures: Sequence[Kind],
    *,
    lives_here: bool,
) -> str:
    """Return the command that asks for the same; where something is only in this process, the call in Python."""
    shown = {key: one for key, one in asked.items() if key != "device"} | dict(parameters)
    shown |= {"procedures": {kind.name: kind for kind in procedures}} if procedures else {}
    own = not isinstance(study, str) or any(isinstance(one, Procedure) for one in parameters.values())
    return _command(study, shown, in_python=own or lives_here)


def _setup(
    study: str,
    preset: str,
    facts: DataInfo,
    precision: Precision,
    first_seed: int,
    beside: tuple[str, ...] | None,
) -> Setup:
    """Return what the study is told of the data, or refuse data without the parts that it needs."""
    for part in ("train", "test"):
        if not facts.counts.get(part):
            raise UserError(
                f"'{facts.name}' has no {part} part here, and study '{study}' needs them; choose other data."
            )
    return Setup(
        preset=preset,  # type: ignore[arg-type]
        data=facts.name,
        train_images=facts.counts["train"],
        class_count=len(facts.class_names),
        checksum=facts.checksum,
        precision=precision,
        first_seed=first_seed,
        beside=beside,
        image_size=min(facts.input_shape[1:], default=0),
        channels=facts.input_shape[0] if facts.input_shape else 0,
    )


def _changed(executor: Executor, **asked: Any) -> dict[str, Any]:
    """Return what was asked for that is not the default."""
    changed = {name: value for name, value in asked.items() if value != USUAL[name]}
    if "device" in changed and device_kind(changed["device"], executor) == device_kind("auto"):
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
    if not isinstance(data, (str, Path)) and type(data).__name__ not in ("Dataset", "TextDataset"):
        raise UserError(
            f"data must be a name, a path or a gradlab.data.Dataset, got {type(data).__name__}; "
            "gradlab.data.from_tensors(images, labels) makes one, and from_texts(texts, labels) one of sentences."
        )


def _check_place(executor: str, address: str | None, out: str | Path) -> None:
    """Refuse an unknown executor, one whose package is missing, an address that nobody would use, and a URL as folder."""
    if executor not in get_args(Executor):
        raise UserError(f"unknown executor '{executor}'; {did_you_mean(str(executor), get_args(Executor))}")
    if executor == "ray":
        check_ray()
    elif address is not None:
        raise UserError(f"--address {address} is that of a Ray cluster; add --executor ray.")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(out)):
        raise UserError(
            f"--out is a folder on this machine, got {out}; give the URL of an object store with --store."
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


def _informer(
    main: DataInfo, folder: str | None, places: Mapping[str, str], memory: dict[str, Any]
) -> Callable[[str], DataInfo]:
    """Return what tells the facts about data by name, each looked up once; what is made of data in memory joins them there."""
    known = {main.name: main}

    def tell(name: str) -> DataInfo:
        if name not in known:
            if memory and parse(name)[0] == main.name:
                from gradlab.data.derived import derived

                memory[name] = derived(memory[main.name], name)
                known[name] = info_of(memory[name])
            else:
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
        given["models"] = {name: _trained(name, one, modules, facts) for name, one in models.items()}
    if parameters.get("network") is not None:
        given["network"] = _trained("network", parameters["network"], modules, facts)
    return given, modules, beside


def _trained(name: str, network: Any, modules: dict[str, Any], facts: DataInfo) -> Any:
    """Return how specs know a network that is to be trained; a user's module is kept in `modules`."""
    if isinstance(network, (MLP, Mapping)):
        return network
    from gradlab.procedures._modules import as_factory, describe_factory

    modules[name] = as_factory(name, network)
    return describe_factory(name, modules[name], facts.input_shape)


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
    if facts.holds == "text" and not names_record(value):
        return encoder_source(value), ()
    path = Path(value)
    if not names_record(value) and ((path / "config.json").is_file() or _is_hub_name(value)):
        try:
            return clip_source(value), ()
        except UserError as error:
            raise UserError(f"there is no model {value} that can be used: {error}") from error
    folder = path.parent if path.name in ("model.safetensors", "model.json") else path
    if (folder / "model.json").is_file():
        return Saved(folder=str(folder / "model.json")), ()
    if path.is_file():
        raise UserError(
            f"{path} holds no network by itself; give the folder of a model, or in Python the network itself, or "
            "model=Pretrained(model=..., weights=...)."
        )
    record = find_record(value, out, what="model")
    return FromRecord(record=record.hash), (record.folder.parent,)


def _is_hub_name(value: str | Path) -> bool:
    """Whether this is no place here, but may be the name of a model on the Hugging Face Hub, such as "openai/clip"."""
    path = Path(value)
    is_file = path.suffix in (".safetensors", ".json")
    return len(path.parts) == 2 and not path.is_absolute() and not path.parent.exists() and not is_file


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
