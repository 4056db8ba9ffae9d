"""How long Imagenette at 64×64 pixels takes to be there, against a plain Pillow loop, as ratios of medians.

Run `python benchmarks/jpeg_decoding.py [--rounds 5]`. The sides take turns in one process: a loop that reads the Parquet
files, decodes each picture with Pillow, resizes it to 64×64 and stacks the arrays, as notebooks do; the first load with
gradlab, which also divides the parts, finds exact copies, computes checksum, mean and deviation, and writes its cache; a
later load, from that cache. Imagenette where it can be found (`GRADLAB_DATA`), else as many made-up pictures of 224×224.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from gradlab.data import arrays

SIZE, COUNTS = 64, {"train": 1100, "validation": 550}


def made_up(root: Path) -> Path:
    """Write smooth pictures with a little noise, which JPEG files of photographs resemble in size."""
    rng = np.random.default_rng(0)
    (root / "imagenette").mkdir(parents=True)
    for part, count in COUNTS.items():
        encoded = []
        for coarse in rng.integers(0, 256, (count, 14, 14, 3), dtype=np.uint8):
            stream = io.BytesIO()
            large = Image.fromarray(coarse).resize((224, 224), Image.Resampling.BICUBIC)
            noise = rng.normal(0, 6, (224, 224, 3))
            Image.fromarray((np.asarray(large) + noise).clip(0, 255).astype(np.uint8)).save(
                stream, "JPEG", quality=75
            )
            encoded.append({"bytes": stream.getvalue(), "path": None})
        labels = pa.array(np.arange(count) % 10)
        pq.write_table(pa.table({"image": encoded, "label": labels}), root / "imagenette" / f"{part}.parquet")
    return root


def plain_loop(root: Path) -> int:
    """One picture after the other; returns how many."""
    found = 0
    for part in COUNTS:
        rows = pq.read_table(root / "imagenette" / f"{part}.parquet")["image"].to_pylist()
        images = [
            np.asarray(
                Image.open(io.BytesIO(row["bytes"]))
                .convert("RGB")
                .resize((SIZE, SIZE), Image.Resampling.BILINEAR)
            )
            for row in rows
        ]
        found += len(np.stack(images).transpose(0, 3, 1, 2))
    return found


def seconds(action: Callable[[], object]) -> float:
    """Seconds on the clock that an action takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def main() -> None:
    """Measure the sides in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    given = Path(os.environ.get("GRADLAB_DATA", ""), "imagenette", "train.parquet")
    with tempfile.TemporaryDirectory() as folder:
        root = given.parent.parent if given.is_file() else made_up(Path(folder, "data"))
        times: dict[str, list[float]] = {"plain loop": [], "first load": [], "later load": []}
        for turn in range(options.rounds + 1):
            cache = Path(folder, f"cache-{turn}")

            def load(cache: Path = cache) -> object:
                return arrays(f"imagenette@{SIZE}", root, cache_dir=cache)

            for side, action in (
                ("plain loop", lambda: plain_loop(root)),
                ("first load", load),
                ("later load", load),
            ):
                spent = seconds(action)
                if turn:  # the first turn warms up
                    times[side].append(spent)
        count = plain_loop(root)
        medians = {side: statistics.median(values) for side, values in times.items()}
        print(
            f"{'imagenette' if given.is_file() else 'made-up pictures'}, {count:,} JPEG files to {SIZE}×{SIZE}"
        )
        for side, median in medians.items():
            rate, ratio = count / median, medians["plain loop"] / median
            print(
                f"{side:<11} {median:>7.3f} s  {rate:>9,.0f} images/s  {ratio:>7.2f} × the plain loop's rate"
            )


if __name__ == "__main__":
    main()
