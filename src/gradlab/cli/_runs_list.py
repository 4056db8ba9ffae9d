"""The rows of `gradlab runs list`: what each record is, whose it is, and its main number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gradlab.lab.judging.results import Results
from gradlab.lab.judging.verify import read_results
from gradlab.lab.kinds import Kind, Measure
from gradlab.lab.records.index import rows_of_records
from gradlab.lab.records.record import Record
from gradlab.procedures import PROCEDURES
from gradlab.types import UserError, did_you_mean

HEAD = ("record", "kind", "data", "arm", "what", "seed", "status", "measure", "value")
UNREAD = {"kind": "?", "data": "?", "what": "", "seed": None}
LEFT_OUT = ("kind", "data", "model", "recipe")
"""Fields of a procedure that stand elsewhere in the row, or say too much for it."""


@dataclass
class Owners:
    """What the reports of a folder say of a record: studies, and arms with the rows that are theirs."""

    studies: list[str] = field(default_factory=list)
    arms: dict[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which records to list; None takes all."""

    study: str | None = None
    arm: str | None = None
    kind: str | None = None
    data: str | None = None

    def takes(self, row: Mapping[str, Any], owners: Owners) -> bool:
        """Whether a record is among those asked for."""
        return (
            (self.study is None or self.study in owners.studies)
            and (self.arm is None or self.arm in owners.arms)
            and (self.kind is None or self.kind == row["kind"])
            and (self.data is None or self.data in row["data"].split("+"))
        )


def rows_of(out: Path, wanted: Wanted) -> list[dict[str, Any]]:
    """Return a row for every record that is asked for, in order, still without status and number; see `with_value`."""
    folder = out / "records"
    found = [
        row | {"_folder": f"{folder}/{row['record']}", "_at": next(iter(own.arms.values()), {})}
        for row, own in _all_rows(out)
        if wanted.takes(row, own)
    ]
    return sorted(found, key=_place)


def _all_rows(out: Path) -> Iterator[tuple[dict[str, Any], Owners]]:
    owners, nobody = _owners(out), Owners()
    for name, facts in rows_of_records(out, _facts, UNREAD):
        own = owners.get(name, nobody)
        yield {"record": name, "arm": ", ".join(own.arms), **facts}, own


def nothing_found(out: Path, wanted: Wanted) -> str:
    """Say that no record is as asked for, and what there is of the first thing that none has."""
    rows = list(_all_rows(out))
    there = {
        "study": {study for _, own in rows for study in own.studies},
        "arm": {arm for _, own in rows for arm in own.arms},
        "kind": {row["kind"] for row, _ in rows},
        "data": {name for row, _ in rows for name in row["data"].split("+")},
    }
    for name, known in there.items():
        value = getattr(wanted, name)
        if value is not None and value not in known:
            return f"{out} holds no run of {name} '{value}'; {did_you_mean(value, sorted(known)) if known else 'there is none.'}"
    return f"{out} holds no run that is all of this." if rows else f"{out} holds no run yet."


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["data"], row["kind"], not row["arm"], row["arm"], row["what"], row["seed"] or 0, row["record"]


def with_value(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its status and its kind's main measure; None where there is none, or the record is damaged."""
    record, at = Record(Path(row.pop("_folder"))), row.pop("_at")
    kind = PROCEDURES.get(row["kind"])
    measure = main_measure(kind) if kind else None
    value, row["status"] = None, _status(record)
    if kind is not None and measure is not None and row["status"] != DAMAGED:
        try:
            value = float(measure.value(Results(record, kind, at)))
        except UserError:
            row["status"] = DAMAGED
        except (KeyError, IndexError):  # it has no such table, as a training without test images
            value = None
    return row | {"measure": measure.name if measure else "", "value": value}


DAMAGED = "damaged"


def main_measure(kind: Kind) -> Measure | None:
    """Return the first measure on test data, else the first of all."""
    measures = list(kind.measures.values())
    return next((one for one in measures if one.on == "test"), measures[0] if measures else None)


def _facts(record: Record) -> dict[str, Any] | None:
    """Return what a record is, whoever asked for it; None if it is damaged."""
    try:
        spec = record.named_spec
        procedure = spec["procedure"]
        return {
            "kind": str(procedure["kind"]),
            "data": "+".join(map(str, spec["content"])),
            "what": what(procedure, spec["inputs"]),
            "seed": spec["seed"],
        }
    except (UserError, KeyError, TypeError, AttributeError):
        return None


def _status(record: Record) -> str:
    """Return what the facts say, after comparing facts and spec with the manifest."""
    try:
        return str(record.facts.get("status", "finished")) if record.spec else DAMAGED
    except UserError:
        return DAMAGED


def what(procedure: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Say in a few words what a run did, such as "residual by 2 32×16" or "pgd, eps 0.03, of 3fa9c17e"."""
    words = [] if "model" not in procedure else [model_name(procedure["model"])]
    known = PROCEDURES.get(str(procedure["kind"]))
    usual = {one.name: one.default for one in fields(known.configuration)} if known else {}
    for name, value in procedure.items():
        same = value == usual.get(name) or (value == [] and usual.get(name) == ())
        if name not in LEFT_OUT and not same and value is not None:
            words.append(_said(name, value))
    words += [f"of {one[:8]}" for one in inputs.values()]
    return ", ".join(words[:5])


def _said(name: str, value: Any) -> str:
    if isinstance(value, Mapping) and "kind" in value:
        return str(value["kind"])
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} {name.replace('_', ' ')}"
    if isinstance(value, list):
        return f"{name.replace('_', ' ')} {' '.join(map(str, value))}"
    return name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"


def model_name(model: Mapping[str, Any]) -> str:
    """Name a network in a few words, such as "residual by 2 32×16" or "plain CNN 16-32-64"."""
    if "digest" in model:
        return str(model["name"])
    kind = "plain"
    if model.get("residual"):
        each = model.get("layers_per_block", 1)
        kind = "residual" if each == 1 else f"residual by {each}"
    if model.get("kind", "mlp") != "mlp":
        return f"{kind} {str(model['kind']).upper()} {'-'.join(map(str, model.get('widths') or ()))}"
    if model.get("widths") is not None:
        return f"{kind} {'-'.join(map(str, model['widths']))}"
    return f"{kind} {model.get('depth')}×{model.get('width')}"


def _owners(out: Path) -> dict[str, Owners]:
    """Read from the reports of a folder which arms each record is; what cannot be read names none."""
    found: dict[str, Owners] = {}
    for study, arms, runs in _reports(out):
        for run in runs:
            own = found.setdefault(run["record"], Owners())
            if study not in own.studies:
                own.studies.append(study)
            if "arm" in run:
                own.arms.setdefault(run["arm"], arms.get(run["arm"], {}))
    return found


def _reports(out: Path) -> Iterator[tuple[str, dict[str, Any], Sequence[Mapping[str, Any]]]]:
    for path in sorted(out.glob("reports/*/results.json")):
        try:
            results = read_results(path.parent)
            arms = {arm["name"]: arm.get("at") or {} for arm in results["design"]["arms"]}
            runs = [{"record": run["record"]} | ({"arm": run["arm"]} if "arm" in run else {}) for run in
                    (*results["runs"], *results["rests_on"])]  # fmt: skip
        except (UserError, OSError, KeyError, TypeError):
            continue
        yield str(results.get("study")), arms, runs
