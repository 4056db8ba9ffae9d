"""`gradlab runs`: the records in a folder: list, show, compare, export, prune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from gradlab.cli._runs_list import HEAD, Wanted, nothing_found, rows_of, with_value
from gradlab.cli._runs_show import show
from gradlab.cli._studies import _converter
from gradlab.cli._tables import Flag, counted, megabytes, print_json, print_table, say
from gradlab.lab.records.finding import find_record
from gradlab.lab.records.prune import find_leftovers
from gradlab.lab.records.prune import prune as prune_records
from gradlab.metrics import METRICS
from gradlab.report.numbers import minus
from gradlab.types import UserError, did_you_mean
from gradlab.use import compare_runs

if TYPE_CHECKING:
    from gradlab.use import RunComparison

app = App(
    name="runs",
    help="List, show, compare, export and prune the runs in a folder; without a command, list them.",
    help_epilogue="Example: gradlab runs list runs --study residual-mlp",
    help_format="plaintext",
)
VERBS = ("list", "show", "compare", "export", "prune")
SHOWN = 50
"""Rows of a list, unless it is asked for more."""


@app.default
def runs(out: Path = Path("runs"), /, *, json: Flag = False) -> int:
    """List the runs in a folder; `gradlab runs list` says more.

    Args:
        out: folder that was given as --out.
        json: print them as JSON.
    """
    if not out.exists() and str(out) != "runs":
        hint = did_you_mean(str(out), VERBS)
        near = f"; {hint}" if hint.startswith("did you mean") else ""
        raise UserError(f"{out} holds no records; give the --out folder of a run{near or '.'}")
    return list_(out, json=json)


@app.command(name="list", sort_key=1, help_epilogue="Example: gradlab runs list runs --arm plain-32")
def list_(
    out: Path = Path("runs"),
    /,
    *,
    study: str | None = None,
    arm: str | None = None,
    kind: str | None = None,
    data: str | None = None,
    limit: Annotated[int | None, Parameter(converter=_converter(int))] = None,
    json: Flag = False,
) -> int:
    """List the runs in a folder: what each is, arm, seed, status and its main number.

    Args:
        out: folder that was given as --out.
        study: only those that reports of this study rest on.
        arm: only those of this arm.
        kind: only those of this kind of procedure, such as train.
        data: only those on this data.
        limit: show at most so many; 0 for all. 50 where not given, and all as JSON.
        json: print them as JSON.
    """
    if limit is not None and limit < 0:
        raise UserError(f"--limit counts rows and must be at least 0, got {limit}; 0 shows all.")
    wanted = Wanted(study, arm, kind, data)
    rows = rows_of(out, wanted)
    most = limit if limit is not None else 0 if json else SHOWN
    shown_rows = [with_value(row) for row in (rows[:most] if most else rows)]
    if json:
        print_json(shown_rows)
        return 0
    if not rows:
        say(nothing_found(out, wanted))
        return 0
    short = [row | {"record": row["record"][:10]} for row in shown_rows]
    print_table(HEAD, [[row[name] for name in HEAD] for row in short])
    if len(rows) > len(short):
        say(
            f"… and {len(rows) - len(short):,} more; --limit 0 shows all, and --study, --arm, --kind and "
            "--data choose among them."
        )
    return 0


app.command(show, name="show", sort_key=2, help_epilogue="Example: gradlab runs show 3fa9")


@app.command(sort_key=3, help_epilogue="Example: gradlab runs compare 3fa9 71c0")
def compare(a: str, b: str, /, *, runs: Path = Path("runs"), json: Flag = False) -> int:
    """Compare two runs: what differs in their specs, their scores, and whether they are right on the same test images.

    Args:
        a: a record's folder, or the first characters of its name.
        b: the other one.
        runs: folder in which the names are looked for.
        json: print the comparison as JSON.
    """
    found = compare_runs(find_record(a, runs), find_record(b, runs))
    if json:
        print_json(found.as_record())
    else:
        _print(found)
    return 0


def _print(found: RunComparison) -> None:
    say(f"A  {found.a}\nB  {found.b}\n")
    sets = {"differs in": found.spec, "result": found.facts, "test metric": found.metrics}
    for title, values in sets.items():
        if values:
            print_table((title, "A", "B"), [(_title(name), *pair) for name, pair in values.items()])
        else:
            say(f"{title} nothing")
        say()
    one, test = found.difference, found.mcnemar
    ends = minus(f"{one.estimate:+.4f} [{one.low:+.4f}, {one.high:+.4f}]")
    say(f"accuracy, A less B: {ends}, 95 % over the {test.n:,} test images")
    say(
        f"only A right: {test.only_a:,}, only B right: {test.only_b:,} of {test.n:,}; McNemar's exact p = {test.p_value:.3g}"
    )
    for flag in one.flags:
        if "seeds" not in flag:
            say(f"note: {flag}.")
    say("These are two single runs: what another seed would give is not in the interval; a study says.")


def _title(name: str) -> str:
    return METRICS[name].title if name in METRICS else name.replace("_", " ")


@app.command(sort_key=4, help_epilogue="Example: gradlab runs export 3fa9 --to safetensors --out models/best")
def export(
    record: str,
    /,
    *,
    out: Path,
    to: Literal["safetensors", "onnx", "torch-export"] = "safetensors",
    runs: Path = Path("runs"),
    json: Flag = False,
) -> int:
    """Write the network of a run, or of a model folder, for other programs; its logits are compared before it is kept.

    An encoder of texts becomes a folder that plain transformers loads.

    Args:
        record: a record's folder, the first characters of its name, or a model folder.
        out: path of what is written; .onnx or .pt2 is added where it lacks.
        to: safetensors: a folder with a small JSON; torch-export: a .pt2 file; onnx: needs the extra "onnx".
        runs: folder in which the name of a record is looked for.
        json: print what was written as JSON.
    """
    from gradlab.use import export as export_trained
    from gradlab.use import export_encoder, open_trained

    if to == "safetensors" and (folder := export_encoder(record, out, runs)):
        print_json({"path": str(folder), "format": "transformers"}) if json else say(
            f"{folder}: from_pretrained loads it"
        )
        return 0
    made = export_trained(open_trained(record, runs), to, out)
    if json:
        print_json(
            {
                "path": str(made.path),
                "format": made.format,
                "difference": made.difference,
                "images": made.images,
                "checked_with": made.checked_with,
            }
        )
    else:
        say(made.describe())
    return 0


@app.command(sort_key=5, help_epilogue="Example: gradlab runs prune runs --yes")
def prune(out: Path = Path("runs"), /, *, yes: Flag = False, json: Flag = False) -> int:
    """Say which records no report in the folder ever rested on, and what killed processes left; delete with --yes.

    Kept are records of reports, of those that stood in the same folder before, and of model folders; those that ran
    together with them; and checkpoints from which an interrupted run goes on. A study that was interrupted has no report
    yet: run it again first.

    Args:
        out: folder that was given as --out.
        yes: delete them.
        json: print what was found as JSON.
    """
    found = prune_records(out) if yes else find_leftovers(out)
    if json:
        print_json({**found.as_record(), "deleted": yes})
        return 0
    for one in found.leftovers:
        say(f"{megabytes(one.size):>9}  {one.path}: {one.why}")
    for path in found.unfinished:
        say(f"     kept  {path}: an interrupted run goes on from it")
    for path in found.foreign:
        say(f"     kept  {path}: no whole record, or something else")
    count = len(found.leftovers)
    verb = "deleted" if yes else f"would be deleted; --yes deletes {'it' if count == 1 else 'them'}"
    freed = f"{counted(count, 'leftover')}, {megabytes(found.size)}, {verb}" if count else "nothing to delete"
    say(
        f"{freed}. {counted(found.kept, 'record')} of reports and models stay{'s' if found.kept == 1 else ''}."
    )
    return 0
