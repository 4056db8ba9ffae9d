"""`gradlab evaluate MODEL`: every score of a trained network on images with labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from gradlab.cli._images import images_for
from gradlab.cli._tables import Flag, print_json, print_table, say
from gradlab.metrics import METRICS

if TYPE_CHECKING:
    from gradlab.use.scores import Scores

app = App(
    name="evaluate",
    help_epilogue="Example: gradlab evaluate models/digits --data digits",
    help_format="plaintext",
)


@app.default
def evaluate(
    model: str,
    /,
    *,
    data: str | None = None,
    data_dir: Path | None = None,
    part: Annotated[Literal["test", "validation", "train", "all"], Parameter(show_default=True)] = "test",
    layers: Flag = False,
    runs: Path = Path("runs"),
    device: str = "auto",
    json: Flag = False,
) -> int:
    """Score a trained network on images with labels: all metrics, intervals, every class.

    Args:
        model: a model folder, a run record's folder, or the first characters of a record's name.
        data: a name, a folder of class folders or a Parquet file; the data that it was trained on where not given.
        data_dir: folder of the data sets, one folder of Parquet files each; GRADLAB_DATA if not given.
        part: which images; test images were never seen in training.
        layers: also print every layer with its parameters and FLOPs.
        runs: folder in which the name of a record is looked for.
        device: auto, cpu, cuda, cuda:1 or mps.
        json: print the scores as JSON.
    """
    from gradlab.models import summary
    from gradlab.use.scores import score
    from gradlab.use.trained import open_trained

    trained = open_trained(model, runs)
    images = images_for(trained, data, data_dir, model)
    scores = score(trained, images, part, device=device)
    network = summary(trained.network, trained.input_shape)
    if json:
        print_json({"model": model, **scores.as_record(), "network": network.as_record()})
        return 0
    what = "images of all parts" if part == "all" else f"{part} images"
    say(f"{trained.name} on {scores.images:,} {what} of {scores.data}; {network.describe()}")
    for note in scores.notes:
        say(note)
    say()
    _print(scores)
    if layers:
        say(f"\n{network}")
    return 0


def _print(scores: Scores) -> None:
    rows = []
    for name, value in scores.metrics.items():
        found = scores.intervals.get(name)
        interval = f"[{found.low:.4f}, {found.high:.4f}]" if found else ""
        rows.append((METRICS[name].title, value, interval, METRICS[name].unit))
    print_table(("metric", "value", "95 % interval", "unit"), rows)
    say()
    classes = [
        (
            one.row.name,
            one.row.samples,
            one.row.precision,
            one.row.recall,
            f"[{one.recall.low:.4f}, {one.recall.high:.4f}]" if one.recall else "",
            one.row.f1,
        )
        for one in scores.classes
    ]
    print_table(("class", "images", "precision", "recall", "95 % interval", "F1"), classes)
