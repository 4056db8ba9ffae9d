"""`gradlab predict MODEL PATHS`: what a trained network says about pictures."""

from __future__ import annotations

import csv as csv_module
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console

from gradlab._files import write_whole
from gradlab._plain import plain_cell, printable
from gradlab.cli._studies import _converter
from gradlab.cli._tables import Flag, print_json, print_table
from gradlab.models.saved import refuse_no_place
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.use.predictions import Prediction

app = App(
    name="predict",
    help_epilogue="Example: gradlab predict models/digits pictures --top 3",
    help_format="plaintext",
)


@app.default
def predict(
    model: str,
    /,
    *paths: Path,
    top: Annotated[int, Parameter(converter=_converter(int))] = 1,
    csv: Path | None = None,
    runs: Path = Path("runs"),
    device: str = "auto",
    json: Flag = False,
) -> int:
    """Name the most probable classes of pictures; exit code 1 if one cannot be read.

    A picture of another size, or with other channels, is made to fit, and the output says how. The probabilities are
    the network's own: they add up to 1 whatever the picture shows.

    Args:
        model: a model folder, a run record's folder, or the first characters of a record's name.
        paths: pictures, and folders of pictures, which are searched with the folders in them.
        top: how many classes to name for each.
        csv: also write the table into this file; one that exists is not overwritten.
        runs: folder in which the name of a record is looked for.
        device: auto, cpu, cuda, cuda:1 or mps.
        json: print what was found as JSON.
    """
    from gradlab.use.predictions import predict as predict_pictures
    from gradlab.use.trained import open_trained

    if csv is not None:
        if csv.exists() or csv.is_symlink():
            raise UserError(f"{csv} already exists; give --csv another name, or delete it first.")
        refuse_no_place(csv)
    found = list(predict_pictures(open_trained(model, runs), paths, top=top, device=device))
    if csv is not None:
        _write(csv, found)
    if json:
        print_json([one.as_record() for one in found])
    else:
        _print([one for one in found if one.problem is None])
    broken = [one for one in found if one.problem is not None]
    errors = Console(stderr=True, soft_wrap=True)
    for one in broken:
        errors.print(f"skipped: {printable(str(one.problem))}", highlight=False, markup=False)
    if broken:
        text = f"gradlab: {len(broken)} of {len(found)} pictures could not be read; replace or remove them."
        errors.print(text, highlight=False, markup=False)
    return 1 if broken else 0


def _print(found: list[Prediction]) -> None:
    if not found:
        return
    places = max(len(one.classes) for one in found)
    head = ["picture", *(name for _ in range(places) for name in ("class", "probability"))]
    rows = [[one.path, *(value for pair in one.classes for value in pair)] for one in found]
    if any(one.changes for one in found):
        head.append("made to fit")
        rows = [[*row, ", ".join(one.changes)] for row, one in zip(rows, found, strict=True)]
    print_table(
        head, [[f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    )


def _write(path: Path, found: list[Prediction]) -> None:
    rows: list[tuple[Any, ...]] = [("path", "rank", "class", "probability", "made_to_fit", "problem")]
    for one in found:
        changes = "; ".join(one.changes)
        rows += [
            (str(one.path), rank, name, value, changes, "")
            for rank, (name, value) in enumerate(one.classes, 1)
        ]
        if one.problem is not None:
            rows.append((str(one.path), "", "", "", "", one.problem))
    stream = io.StringIO()
    csv_module.writer(stream).writerows([plain_cell(cell) for cell in row] for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, stream.getvalue().encode("utf-8", "surrogateescape"))
