"""What every kind of procedure keeps to, whatever it does."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gradlab.attacks.effort import EFFORTS, Effort
from gradlab.lab import load
from gradlab.lab.designing.design import dump_design, read_design
from gradlab.lab.designing.procedure import dump_procedure, inputs_of, names_of, read_procedure, walk
from gradlab.lab.judging.results import Results
from gradlab.lab.records.binding import Binder, Conditions
from gradlab.lab.records.record import Record
from gradlab.lab.records.small import Traced, read_small, write_small
from gradlab.procedures import PROCEDURES, _fits
from gradlab.procedures._modules import describe_given
from gradlab.procedures.sources import Given
from gradlab.types import UserError
from tests.procedures.examples import DATA, EXAMPLES, SLICES, WORKING, design_of, info, run
from tests.procedures.fields import changes

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
UNCHANGED = {"recipe.momentum", "recipe.nesterov", "recipe.orthogonalise", "model.widths", "model.family"}
"""Fields that the examples' other values forbid to change alone: of another optimiser, beside a width, or of another kind."""
FIXED = {"disturb": {"by.stop_at_success"}}
"""Fields that a kind sets itself, whatever it is given: maps are compared under attacks that take every step."""
DERIVED: dict[str, tuple[tuple[str, str], ...]] = {
    "train": (("predictions", "prediction"), ("predictions", "loss"), ("predictions", "logit_1")),
    "text-train": (("predictions", "prediction"), ("predictions", "loss"), ("predictions", "logit_1")),
    "fit-head": (("predictions", "prediction"), ("choices", "accuracy")),
    "fine-tune": (("predictions", "prediction"), ("predictions", "loss"), ("predictions", "logit_1")),
    "distil": (("predictions", "prediction"), ("predictions", "loss"), ("predictions", "logit_1")),
    "snapshot": (("predictions", "prediction"), ("predictions", "loss"), ("predictions", "logit_1")),
    "attack": (
        ("attacked", "prediction"),
        ("attacked", "clean"),
        ("attacked", "logit_1"),
        ("attacked", "clean_logit_1"),
        ("attacked", "linf"),
    ),
    "certify": (("certified", "fooled_by"), ("attacks", "left")),
    "score": (
        ("predictions", "prediction"),
        ("predictions", "confidence"),
        ("inside", "max-softmax"),
        ("outside", "max-softmax"),
        ("predictions", "logit_1"),
        ("foreign", "logit_1"),
    ),
    "text-pretrain": (),
    "text-tower-pretrain": (),
    "text-overlap": (("copies", "exact"), ("copies", "normalised")),
    "untrained": (),
    "text-features": (),
    "text-head": (("predictions", "prediction"), ("choices", "accuracy")),
    "text-finetune": (
        ("predictions", "prediction"),
        ("predictions", "logit_1"),
        ("validation", "prediction"),
        ("validation", "logit_1"),
    ),
    **dict.fromkeys(
        ("clip-pretrain", "clip-zero-shot", "clip-tune"),
        (("predictions", "prediction"), ("predictions", "loss"), ("predictions", "logit_1")),
    ),
    "explain-texts": (
        ("predictions", "prediction"),
        ("predictions", "logit_1"),
        ("words", "value"),
        ("texts", "gap"),
    ),
    "train-autoencoder": (),
    "explain": (
        ("predictions", "prediction"),
        ("predictions", "logit_1"),
        ("maps", "gap"),
        ("maps", "deletion"),
    ),
    "disturb": (
        ("attacked", "prediction"),
        ("attacked", "clean"),
        ("attacked", "logit_0"),
        ("attacked", "clean_logit_0"),
        ("moved", "fooled"),
    ),
}
"""Columns that `check` recomputes, and raw ones that it recomputes them from."""
SPECIAL = dict.fromkeys(
    ("untrained", "text-features", "text-finetune"),
    "this needs an encoder of texts, got MLPNetwork; give the folder",
)
SPECIAL |= dict.fromkeys(
    ("clip-zero-shot", "clip-tune"), "this needs a CLIP, got MLPNetwork; give the folder"
)
SPECIAL["explain-texts"] = "this needs a classifier of texts that text-finetune trained, got one of kind"
SPECIAL["text-head"] = "a head on texts rests on their features; give net=TextFeatures"
"""Kinds that rest on something else than a classifier of images, and what they say of one."""
ONCE = {"text-pretrain", "text-tower-pretrain", "text-overlap", "clip-pretrain", "clip-zero-shot"}
"""Kinds of which every seed shares one run."""
UNKNOWN = {
    "attack": {
        *("L-infinity change", "L2 change", "pixels changed", "SSIM", "PSNR"),
        *("iterations to success", "queries to success"),
    },
    "explain": {"pointing", "share in its own cell"},
    "explain-texts": {"similarity of words with random weights"},
}
"""Measures that nobody can tell of some example: of successes, where there is none, of patches that nobody planted, and of the
order of words where so short a network reads two."""
PREDICTED = (
    "train",
    "text-train",
    "text-finetune",
    "fit-head",
    "text-head",
    "fine-tune",
    "distil",
    "snapshot",
    "clip-pretrain",
    "clip-zero-shot",
    "clip-tune",
)
FACTS = dict.fromkeys(PREDICTED, ("accuracy", "f1_macro")) | dict.fromkeys(
    (
        "attack",
        "certify",
        "score",
        "train-autoencoder",
        "explain",
        "explain-texts",
        "disturb",
        "text-pretrain",
        "text-tower-pretrain",
        "text-overlap",
        "untrained",
        "text-features",
    ),
    (),
)
"""Scores among the facts that predictions can contradict."""


def conditions(**changed: Any) -> Conditions:
    names = {name for one in EXAMPLES.values() for below in walk(one) for name in names_of(below)}
    known: dict[str, Any] = {
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
        "checksums": {name: f"sha256:{name}" for name in names},
        "software": {name: "1.0" for kind in PROCEDURES.values() for name in kind.software},
        "versions": {},
    }
    return Conditions(**(known | changed))


def bound(procedure, seed=0, **changed):
    return Binder(PROCEDURES, conditions(**changed), lambda *_: 0).bind(procedure, seed)


@pytest.fixture(scope="module", autouse=True)
def _brief_certificates():
    """Certificates with few steps: what they find is not asked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EFFORTS, "quick", Effort(images=12, steps=2, draws=1, queries=5))
        yield


@pytest.fixture(scope="module", params=WORKING)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def out(kind, tmp_path_factory) -> Path:
    """An --out folder in which the example ran for two seeds; read only."""
    folder = tmp_path_factory.mktemp(kind)
    run(folder, EXAMPLES[kind], (0, 1))
    return folder


def records_of(out: Path, kind: str) -> dict[str, Record]:
    found = map(load, sorted((out / "records").iterdir()))
    return {record.hash: record for record in found if record.spec["procedure"]["kind"] == kind}


def results(run_: Any, kind: str, at: Any = None) -> Results:
    return Results(run_, PROCEDURES[kind], SLICES.get(kind, {}) if at is None else at)


def content(record: Record) -> Any:
    """All of a record but how it was made."""
    files = {name: text for name, text in record.manifest["files"].items() if name != "made.json"}
    return [record.manifest["tables"], files, record.facts]


def test_every_kind_is_here():
    assert set(EXAMPLES) == set(WORKING) == set(DERIVED) == set(FACTS)
    assert all(EXAMPLES[name].kind == name for name in EXAMPLES)
    assert {*WORKING, "given", "record", "pretrained", "saved", "encoder", "clip"} == set(PROCEDURES)


# --- as data ---


def test_a_procedure_and_a_design_of_it_survive_their_json(kind):
    example = EXAMPLES[kind]
    assert read_procedure(json.loads(json.dumps(dump_procedure(example))), PROCEDURES) == example
    made = design_of(example, example)
    assert read_design(json.loads(json.dumps(dump_design(made))), PROCEDURES) == made
    assert hash(example) == hash(read_procedure(dump_procedure(example), PROCEDURES))


def test_every_field_counts_and_names_of_data_count_by_their_content(kind):
    example = EXAMPLES[kind]
    names, stuck, hashes = set(names_of(example)), [], {bound(example).hash}
    fields, counted = dict(changes(example)), 0
    assert len(fields) >= (2 if kind == "text-overlap" else 4)
    for path, others in fields.items():
        if path in ("data", "known", "out", "tune_on") or path.startswith(("net.", "twin.")):
            continue  # names, and what the loop below changes
        counted += 1
        made = {bound(one).hash for one in others if dump_procedure(one) != dump_procedure(example)}
        if not made:
            stuck.append(path)
        assert bound(example).hash not in made, path
        hashes |= made
    assert set(stuck) - FIXED.get(kind, set()) <= UNCHANGED
    assert FIXED.get(kind, set()) <= set(stuck)
    assert len(hashes) > counted - len(stuck)
    for name in names:
        other = conditions().checksums | {name: "sha256:other"}
        assert bound(example, checksums=other).hash != bound(example).hash
    below = dict(inputs_of(example)).get("net")
    for path, others in changes(below) if below else ():
        if path != "data":
            inner = [type(example)(**(_fields(example) | {"net": one})) for one in others[:1]]
            assert bound(example).hash not in {bound(one).hash for one in inner}, path


def _fields(procedure: Any) -> dict[str, Any]:
    return {name: getattr(procedure, name) for name in procedure.__dataclass_fields__}


def test_a_seed_counts_where_something_is_random(kind):
    hashes = {bound(EXAMPLES[kind], seed).hash for seed in range(4)}
    assert len(hashes) == (
        1 if kind in ONCE else 4
    )  # those without a seed of their own rest on runs that have one


def test_the_golden_hash_changes_only_on_purpose(kind):
    """If this fails on purpose, raise the kind's `version`, and write golden.json anew with `golden()`."""
    made = bound(EXAMPLES[kind], 3)
    assert made.spec == GOLDEN[kind]["spec"]
    assert made.hash == GOLDEN[kind]["hash"]


def golden() -> None:
    """Write the specs and hashes of all examples."""
    made = {name: bound(one, 3) for name, one in EXAMPLES.items()}
    text = json.dumps({name: {"hash": one.hash, "spec": one.spec} for name, one in made.items()}, indent=1)
    (Path(__file__).parent / "golden.json").write_text(text + "\n")


# --- what it writes ---


def test_tables_and_columns_are_those_that_are_declared(out, kind):
    declared, views = PROCEDURES[kind].tables, PROCEDURES[kind].views
    for record in records_of(out, kind).values():
        assert set(record.manifest["tables"]) == set(declared) - set(views)
        for name, columns in declared.items():
            found = results(record, kind).table(name)
            assert {column for column, one in columns.items() if one.always} <= set(found), name
            assert len({len(found[column]) for column in found}) <= 1
        assert record.facts["status"] == "finished"
        assert json.loads(json.dumps(dict(record.facts), allow_nan=False)) == record.facts


class Changed:
    """A run of which one column or fact is another."""

    def __init__(self, record, table=None, column=None, facts=None):
        self.run, self.place, self.other = record, (table, column), facts
        self.hash, self.spec, self.made, self.manifest = (
            record.hash,
            record.spec,
            record.made,
            record.manifest,
        )

    @property
    def facts(self):
        return self.other or self.run.facts

    def table(self, name):
        columns = dict(self.run.table(name))
        if name == self.place[0]:
            values = columns[self.place[1]].copy()
            values[len(values) // 2] += 1
            columns[self.place[1]] = values
        return columns


def test_a_changed_column_or_fact_is_found_by_recomputing(out, kind):
    check = PROCEDURES[kind].check
    record = next(iter(records_of(out, kind).values()))
    assert check(results(record, kind)) == []
    for table, column in DERIVED[kind]:
        assert check(results(Changed(record, table, column), kind)), (table, column)
    for name in FACTS[kind]:
        facts = json.loads(json.dumps(record.facts))
        facts["test"][name] += 1e-6
        assert check(results(Changed(record, facts=facts), kind)), name


class Cut:
    """A run whose tables hold the rows of one slice, taken by a plain loop."""

    def __init__(self, record, at):
        self.run, self.at = record, at
        self.hash, self.spec, self.made, self.facts = record.hash, record.spec, record.made, record.facts

    def table(self, name):
        columns = dict(self.run.table(name))
        rows = range(len(next(iter(columns.values()), ())))
        for column, value in self.at.items():
            if column in columns:
                rows = [row for row in rows if columns[column][row] == value]
        return {column: np.array([values[row] for row in rows]) for column, values in columns.items()}


def everything(found: Results) -> list[Any]:
    """What measures, learned, alarms and flags say of a run."""
    told: list[Any] = [found.has_learned if found.kind.learned else None]
    for measure in found.kind.measures.values():
        value = measure.value(found)
        told.append(None if np.isnan(value) else value)
        if measure.samples is not None and np.isfinite(value):
            told += [(axis, values.tolist()) for axis, values in measure.samples(found).items()]
    return [*told, found.kind.alarms("a", [found]), found.kind.flags("a", [found])]


def test_measures_on_whole_small_and_cut_runs_are_equal(out, kind, tmp_path):
    for record in records_of(out, kind).values():
        at = SLICES.get(kind, {})
        whole = everything(results(record, kind))
        assert everything(Results(Cut(record, at), PROCEDURES[kind], at)) == whole
        traced = Traced(record)
        everything(results(traced, kind))
        write_small(tmp_path, [traced])
        small = read_small(tmp_path)[record.hash]
        assert everything(results(small, kind)) == whole
        assert PROCEDURES[kind].check(results(small, kind)) == []
        raw = [name for name in small.table("predictions") if name.startswith("logit_")]
        assert raw == []  # measures read what was derived, so that the small form is small


def test_measures_lie_in_their_range_and_samples_have_their_mean(out, kind):
    for record in records_of(out, kind).values():
        run_ = results(record, kind)
        for name, measure in PROCEDURES[kind].measures.items():
            value = measure.value(run_)
            if measure.range is not None and np.isfinite(value):
                assert measure.range[0] <= value <= measure.range[1], name
            if measure.samples is None:
                continue
            if not np.isfinite(value):
                assert name in UNKNOWN.get(kind, ()), name
                continue
            axes = measure.samples(run_)
            means = [float(values.mean()) for values in axes.values()]
            if len(axes) == 1:
                assert means[0] == pytest.approx(value, rel=1e-5), name
            if measure.exact:
                assert {float(one) for values in axes.values() for one in values} <= {0.0, 1.0}


def test_the_report_is_told_what_ran(out, kind):
    record = next(iter(records_of(out, kind).values()))
    told = PROCEDURES[kind].describe(EXAMPLES[kind], results(record, kind))
    assert told["parameters"] > 0 or kind == "text-overlap"  # which has no network
    assert told["layers"]
    assert told["recipe"]
    counts = {name: info(name).counts for name in DATA}
    assert PROCEDURES[kind].cost(EXAMPLES[kind], counts) > 0


# --- how it works ---


def test_bits_do_not_depend_on_which_other_seeds_are_asked_for(out, kind, tmp_path):
    run(tmp_path, EXAMPLES[kind], (1,))
    alone, both = records_of(tmp_path, kind), records_of(out, kind)
    shared = set(alone) & set(both)
    assert shared
    for name in shared:
        assert content(alone[name]) == content(both[name])


class KilledError(BaseException):
    """A process that dies in the middle."""


def test_killed_when_it_tells_something_and_asked_again_it_ends_the_same(out, kind, tmp_path, monkeypatch):
    """The first time, the second, the fourth and so on; at any moment: `test_kills.py`."""
    monkeypatch.setattr(_fits, "CHECKPOINT_SECONDS", 0.0)
    whole, example = records_of(out, kind), EXAMPLES[kind]
    inputs = {
        r.hash: r for r in map(load, (out / "records").iterdir()) if r.spec["procedure"]["kind"] != kind
    }
    told = 1
    while True:
        folder = tmp_path / str(told)
        for name, record in inputs.items():
            shutil.copytree(record.folder, folder / "records" / name)
        if not _killed(folder, example, told):
            break
        run(folder, example, (0,))
        again = records_of(folder, kind)
        for name in set(again) & set(whole):
            assert content(again[name]) == content(whole[name]), told
        assert set(again) & set(whole)
        assert not [path for path in (folder / "work").iterdir() if path.suffix != ".lock"]
        told *= 2
    assert told > 2


def _killed(folder: Path, example: Any, told: int) -> bool:
    count = 0

    def kill(event: dict[str, Any]) -> None:
        nonlocal count
        count += event["event"] == "progress"
        if count == told:
            raise KilledError

    try:
        run(folder, example, (0,), on_event=kill)
    except KilledError:
        return True
    return False


def state() -> list[Any]:
    """Global states of randomness and settings."""
    return [
        torch.get_rng_state().tolist(),
        random.getstate(),
        repr(np.random.get_state(legacy=True)),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
    ]


def test_global_states_are_left_as_found(kind, tmp_path):
    before = state()
    run(tmp_path, EXAMPLES[kind], (0,))
    assert state() == before


@pytest.mark.parametrize("kind", [name for name in WORKING if any(inputs_of(EXAMPLES[name]))])
def test_a_given_network_is_left_as_found(kind, tmp_path):
    shape = DATA["stripes"].input_shape
    network = EXAMPLES["train"].model.build(shape, 3, seed=0)
    network.train()
    network.requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    given = Given(name="mine", digest=describe_given("mine", network, shape).digest)
    procedure = type(EXAMPLES[kind])(**(_fields(EXAMPLES[kind]) | {"net": given}))
    if kind in SPECIAL:
        with pytest.raises(UserError, match=SPECIAL[kind]):
            run(tmp_path, procedure, modules={"mine": network})
    elif kind == "snapshot":  # which reads the record of a training
        with pytest.raises(UserError, match="holds no weights of epoch 1"):
            run(tmp_path, procedure, modules={"mine": network})
    else:
        assert len(run(tmp_path, procedure, (0, 1), modules={"mine": network})["runs"]) == 2
    assert network.training
    assert not any(one.requires_grad or one.grad is not None for one in network.parameters())
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in network.modules())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
