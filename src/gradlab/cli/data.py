"""`gradlab data list|get|check|overlap`: data sets, where they are, whether they are whole, and what two of them share."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from gradlab.data.catalogue import check as check_data
from gradlab.data.catalogue import get as get_data
from gradlab.data.catalogue import list_datasets

app = App(
    name="data",
    help="List, download, check and compare data sets.",
    help_epilogue="Example: gradlab data list",
)
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


@app.command(name="list", sort_key=1, help_epilogue="Example: gradlab data list")
def list_(*, data_dir: Path | None = None, json: Flag = False) -> int:
    """List the data sets that have a name, and where each is or how to get it.

    Args:
        data_dir: folder of the data sets; GRADLAB_DATA if not given.
        json: print the list as JSON.
    """
    listings = list_datasets(data_dir)
    if json:
        sys.stdout.write(
            json_module.dumps([asdict(one) | {"where": str(one.where)} for one in listings], indent=1) + "\n"
        )
        return 0
    table = Table("name", "classes", "image", "where", "what", box=None, pad_edge=False)
    for one in listings:
        shape = "×".join(map(str, one.shape))
        table.add_row(one.name, str(one.classes), shape, str(one.where), one.summary)
    Console().print(table)
    return 0


@app.command(sort_key=2, help_epilogue="Example: gradlab data get mnist")
def get(name: str, /) -> int:
    """Download a data set from the Hugging Face Hub into the cache; needs the extra "hub".

    Args:
        name: as `gradlab data list` shows it.
    """
    Console().print(str(get_data(name)), soft_wrap=True, highlight=False, markup=False)
    return 0


@app.command(sort_key=3, help_epilogue="Example: gradlab data check digits")
def check(name: str, /, *, data_dir: Path | None = None, json: Flag = False) -> int:
    """Decode a data set again and compare it with what is published; exit code 1 where something is wrong.

    Args:
        name: a name, a folder or a Parquet file.
        data_dir: folder of the data sets; GRADLAB_DATA if not given.
        json: print the findings as JSON.
    """
    rows = check_data(name, data_dir)
    if json:
        sys.stdout.write(json_module.dumps([asdict(row) for row in rows], indent=1) + "\n")
    else:
        table = Table("", "what", "expected", "found", box=None, pad_edge=False)
        marks = {True: "ok", False: "WRONG", None: "note"}
        for row in rows:
            table.add_row(marks[row.ok], row.what, row.expected, row.found)
        Console().print(table)
    return 1 if any(row.ok is False for row in rows) else 0


@app.command(sort_key=4, help_epilogue="Example: gradlab data overlap rotten-tomatoes sst2")
def overlap(judged: str, known: str, /, *, data_dir: Path | None = None, json: Flag = False) -> int:
    """Count how many validation and test sentences of one data set stand in the training part of another.

    Args:
        judged: data set of texts that something is judged on.
        known: data set of texts that it was trained on.
        data_dir: folder of the data sets; GRADLAB_DATA if not given.
        json: print the counts as JSON.
    """
    from gradlab.data import load
    from gradlab.data import overlap as count

    first, second = (load(name, data_dir, holds="text") for name in (judged, known))
    found = [count(first, second, part=role) for role in ("validation", "test") if role in first.splits]
    if json:
        plain = [{key: value for key, value in asdict(one).items() if key != "rows"} for one in found]
        sys.stdout.write(json_module.dumps(plain, indent=1) + "\n")
    for one in () if json else found:
        Console().print(one.describe(), soft_wrap=True, highlight=False, markup=False)
    return 0
