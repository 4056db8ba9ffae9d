"""`gradlab certify MODEL`: how many images withstand every attack, and whether the attacks can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cyclopts import App

from gradlab.cli._images import images_for
from gradlab.cli._tables import Flag, print_json, say

app = App(
    name="certify",
    help_epilogue="Example: gradlab certify models/digits --data digits --eps 8/255 --quick",
    help_format="plaintext",
)


@app.default
def certify(
    model: str,
    /,
    *,
    eps: str,
    norm: Literal["linf", "l2"] = "linf",
    data: str | None = None,
    data_dir: Path | None = None,
    quick: Flag = False,
    images: int | None = None,
    minutes: float | None = None,
    twin: str | None = None,
    seed: int = 0,
    runs: Path = Path("runs"),
    device: str = "auto",
    json: Flag = False,
) -> int:
    """Attack a trained network in many ways, and judge whether surviving them means anything; exit code 1 if it does not.

    Args:
        model: a model folder, a run record's folder, or the first characters of a record's name.
        eps: radius on the [0, 1] pixel scale, such as 8/255; in L2 such as 0.5.
        norm: of the radius, linf or l2.
        data: a name, a folder of class folders or a Parquet file; the data that it was trained on where not given.
        data_dir: folder of the data sets, one folder of Parquet files each; GRADLAB_DATA if not given.
        quick: 200 images and 20 steps of PGD instead of 1,000 and 50.
        images: how many test images instead.
        minutes: after which no further check begins.
        twin: the same network trained without a defence, named like the model; images that fool it are tried as well.
        seed: of images, random starts and noise.
        runs: folder in which the name of a record is looked for.
        device: auto, cpu, cuda, cuda:1 or mps.
        json: print the certificate as JSON.
    """
    from gradlab import attacks
    from gradlab.training import resolve_device
    from gradlab.use.scores import check_fit
    from gradlab.use.trained import open_trained

    trained = open_trained(model, runs)
    source = images_for(trained, data, data_dir, model)
    check_fit(trained, source)
    place = resolve_device(device)
    other = None if twin is None else open_trained(twin, runs).network.to(place)
    found = attacks.certify(
        trained.network.to(place),
        source,
        eps,
        norm,
        quick=quick,
        images=images,
        minutes=minutes,
        twin=other,
        seed=seed,
    )
    if json:
        print_json({"model": model, "data": source.name, **found.as_record()})
    else:
        say(f"{trained.name} on {source.name}: {found.describe()}")
    return 0 if found.finding == "valid" else 1
