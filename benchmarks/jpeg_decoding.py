"""How long Imagenette at 64×64 pixels takes to be there, against a plain Pillow loop, as ratios of medians.

Run `python benchmarks/jpeg_decoding.py [--rounds 5]`. The sides take turns in one process: a loop that reads the Parquet
files, decodes each picture with Pillow, resizes it to 64×64 and stacks the arrays, as notebooks do; the first load with
gradlab, which also divides the parts, finds exact copies, computes checksum, mean and deviation, and writes its cache; a
later load, from that cache. Imagenette where it can be found (`GRADLAB_DATA`), else as many made-up pictures of 224×224.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _rows import Side, in_turns, options, row, tell
from PIL import Image

from gradlab.data import arrays

SIZE, COUNTS = 64, {"train": 1100, "validation": 550}


def made_up(root: Path) -> Path:
    """Write smooth pictures with a little noise, which JPEG files of photographs resemble in size."""
    rng = np.random.default_rng(0)
    (root / "imagenette").mkdir(parents=True)
    for part, many in COUNTS.items():
        encoded = []
        for coarse in rng.integers(0, 256, (many, 14, 14, 3), dtype=np.uint8):
            stream = io.BytesIO()
            large = Image.fromarray(coarse).resize((224, 224), Image.Resampling.BICUBIC)
            noise = rng.normal(0, 6, (224, 224, 3))
            Image.fromarray((np.asarray(large) + noise).clip(0, 255).astype(np.uint8)).save(
                stream, "JPEG", quality=75
            )
            encoded.append({"bytes": stream.getvalue(), "path": None})
        labels = pa.array(np.arange(many) % 10)
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


def main() -> None:
    """Measure the sides in turns."""
    asked = options(__doc__, rounds=5).parse_args()
    given = Path(os.environ.get("GRADLAB_DATA", ""), "imagenette", "train.parquet")
    with tempfile.TemporaryDirectory() as folder:
        root = given.parent.parent if given.is_file() else made_up(Path(folder, "data"))
        caches = (Path(folder, f"cache-{number}") for number in count())
        used = [next(caches)]

        def side(action: Callable[[], object]) -> Side:
            def timed() -> float:
                begun = time.perf_counter()
                action()
                return time.perf_counter() - begun

            return timed

        def first() -> object:
            used.append(next(caches))
            return later()

        def later() -> object:
            return arrays(f"imagenette@{SIZE}", root, cache_dir=used[-1])

        sides = {"plain loop": side(lambda: plain_loop(root)), "first": side(first), "later": side(later)}
        times = in_turns(sides, asked.rounds)
        what = f"{plain_loop(root):,} JPEG files to {SIZE}×{SIZE}, the {{}} load"
    rows = [row(what.format(own), times, "plain loop", own=own, unit="s") for own in ("first", "later")]
    tell(rows, asked.out, data="imagenette" if given.is_file() else "made-up pictures")


if __name__ == "__main__":
    main()
