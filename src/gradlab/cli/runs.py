"""`gradlab runs`: the records in a folder: list, show, compare, export, prune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App

from gradlab.cli._runs_show import show
from gradlab.cli._tables import Flag, megabytes, print_json, print_table, say
from gradlab.lab.compare_runs import compare_runs
from gradlab.lab.design import Custom
from gradlab.lab.finding import find_record, records_of
from gradlab.lab.prune import find_leftovers
from gradlab.lab.prune import prune as prune_records
from gradlab.lab.record import Record
from gradlab.lab.verify import read_results
from gradlab.metrics import METRICS
from gradlab.models.mlp import MLP
from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from gradlab.lab.compare_runs import RunComparison

app = App(
    name="runs",
    help="List, show, compare, export and prune the runs in a folder; without a verb, list them.",
    help_epilogue="Example: gradlab runs runs",
    help_format="plaintext",
    sort_key=8,
)
VERBS = ("list", "show", "compare", "export", "prune")


@app.default
def runs(out: Path = Path("runs"), /, *, json: Flag = False) -> int:
    """List the runs in a folder: arm, seed, status and test accuracy of each.

    Args:
        out: folder that was given as --out.
        json: print them as JSON.
    """
    if not out.exists() and str(out) != "runs":
        hint = did_you_mean(str(out), VERBS)
        near = f"; {hint}" if hint.startswith("did you mean") else ""
        raise UserError(f"{out} holds no records; give the --out folder of a run{near or '.'}")
    return list_(out, json=json)


@app.command(name="list", sort_key=1, help_epilogue="Example: gradlab runs list runs")
def list_(out: Path = Path("runs"), /, *, json: Flag = False) -> int:
    """List the runs in a folder: arm, seed, status and test accuracy of each.

    Args:
        out: folder that was given as --out.
        json: print them as JSON.
    """
    arms = _arms(out)
    found = (_row(record, arms.get(record.hash, [])) for record in records_of(out))
    rows = sorted(found, key=lambda row: (row["data"], not row["arm"], row["arm"], row["model"], row["seed"]))
    if json:
        print_json(rows)
        return 0
    head = ("record", "data", "arm", "model", "seed", "status", "epochs", "best", "accuracy")
    shown = [row | {"record": row["record"][:10], "accuracy": f"{row['accuracy']:.4f}"} for row in rows]
    print_table(head, [list(row.values()) for row in shown])
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
    say(
        f"accuracy, A less B: {one.estimate:+.4f} [{one.low:+.4f}, {one.high:+.4f}], 95 % over the {test.n:,} test images"
    )
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

    Args:
        record: a record's folder, the first characters of its name, or a model folder.
        out: path of what is written; .onnx or .pt2 is added where it lacks.
        to: safetensors: a folder with a small JSON; torch-export: a .pt2 file; onnx: needs the extra "onnx".
        runs: folder in which the name of a record is looked for.
        json: print what was written as JSON.
    """
    from gradlab.lab.export import export as export_trained
    from gradlab.lab.trained import open_trained

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
    """Say which records no report in the folder refers to, and what killed processes left; delete them with --yes.

    Records that train together with those of a report are kept, and so are checkpoints from which an interrupted
    training goes on. A study that was interrupted has no report yet: run it again first.

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
        say(f"     kept  {path}: an interrupted training goes on from it")
    for path in found.foreign:
        say(f"     kept  {path}: no whole record, or something else")
    count = len(found.leftovers)
    verb = "deleted" if yes else "would be deleted; --yes deletes them"
    freed = f"{count} leftover(s), {megabytes(found.size)}, {verb}" if count else "nothing to delete"
    say(f"{freed}. {found.kept} record(s) of reports stay.")
    return 0


def _arms(out: Path) -> dict[str, list[str]]:
    """Read from the reports of a folder which arm each record is: name -> arms; what cannot be read names none."""
    found: dict[str, list[str]] = {}
    for path in sorted(out.glob("reports/*/results.json")):
        try:
            results = read_results(path.parent)
            names = [(run["record"], run["arm"]) for run in results["runs"]]
        except (UserError, OSError, KeyError, TypeError):
            continue
        for record, arm in names:
            if arm not in found.setdefault(record, []):
                found[record].append(arm)
    return found


def _row(record: Record, arms: list[str]) -> dict[str, Any]:
    facts = record.facts
    return {
        "record": record.hash,
        "data": record.spec.data,
        "arm": ", ".join(arms),
        "model": model_name(record.spec.model),
        "seed": record.spec.seed,
        "status": facts["status"],
        "epochs": facts["epochs"],
        "best": facts["best_epoch"],
        "accuracy": float((record.predictions == record.labels).mean()),
    }


def model_name(model: MLP | Custom) -> str:
    """Name a network in a few words, such as "residual by 2 32×16"."""
    if isinstance(model, Custom):
        return model.name
    if not model.residual:
        kind = "plain"
    else:
        kind = "residual" if model.layers_per_block == 1 else f"residual by {model.layers_per_block}"
    if model.widths is not None:
        return f"{kind} {'-'.join(map(str, model.widths))}"
    return f"{kind} {model.depth}×{model.width}"
