"""A process that runs a real procedure on worker processes: `python -m tests.procedures.parent KIND DATA OUT`.

Writes one JSON event a line and the result as the last; DATA is a folder that `write_data` filled.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gradlab.data import info
from gradlab.lab import Procedure, Request, run_design
from gradlab.lab.designing.procedure import inputs_of, names_of, walk
from gradlab.procedures import TOOLBOX
from gradlab.types import UserError
from tests.procedures.examples import DATA, EXAMPLES, SLICES, design_of, stripes

SEEDS = (0, 1)


TEXTS = ("reviews", "more-reviews")
"""Examples of texts that procedures read."""


def write_data(folder: Path) -> None:
    """Write the examples' images as class folders and their texts as a table."""
    images, labels = stripes()
    for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        place = folder / "stripes" / f"class-{label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(image[0])).save(place / f"{number:03d}.png")
    for name in TEXTS:
        rows = [
            f'"{text}",{label}'
            for split in DATA[name].splits.values()
            for text, label in zip(split.texts, split.labels, strict=True)
        ]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")


def on_files(procedure: Procedure, folder: Path) -> Procedure:
    """Return the example, and all that it rests on, with data that worker processes can read."""
    places = {"stripes": str(folder / "stripes")} | {name: str(folder / f"{name}.csv") for name in TEXTS}
    changed: dict[str, Any] = {name: on_files(one, folder) for name, one in inputs_of(procedure)}
    data = getattr(procedure, "data", None)
    if isinstance(data, tuple):
        changed["data"] = tuple(places[name] for name in data)
    elif data is not None:
        changed["data"] = places[data]
    if procedure.kind == "text-overlap":
        changed["known"] = places[procedure.known]
    if procedure.kind == "score":
        changed["out"] = ("noise@6:grey", "photos@6:grey")
    return replace(procedure, **changed)


def data_of(procedure: Procedure) -> str:
    """Return the first data that it, or something it rests on, names."""
    return next(name for one in walk(procedure) for name in names_of(one))


def main(kind: str, data: str, out: str) -> int:
    procedure = on_files(EXAMPLES[kind], Path(data))
    if kind == "score":
        SLICES["score"]["set"] = "photos@6:grey"
    known = {"preset": "quick", "data": data_of(procedure), "info": info, "device": "cpu", "workers": 2}
    try:
        result = run_design(
            design_of(procedure),
            Request(toolbox=TOOLBOX, seeds=SEEDS, out=Path(out), **known),
            on_event=lambda event: print(json.dumps(event), flush=True),
        )
    except UserError as error:
        print(json.dumps({"event": "error", "message": str(error)}), flush=True)
        return 1
    print(json.dumps({"event": "result", "result": result}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
