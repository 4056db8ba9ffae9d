"""Small files of the kinds that people have."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def images(rng, count, height, width, channels=None):
    """(count, height, width[, channels]) uint8, all different."""
    shape = (count, height, width) if channels is None else (count, height, width, channels)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def encode(pixels, form="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def parquet(path: Path, pixels, labels, *, image="image", label="label", names=None, struct=True, extra=None):
    """Write encoded images and labels as the Hub does; `names` become the schema's class names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encoded = [p if p is None or isinstance(p, bytes) else encode(p) for p in pixels]
    column = [{"bytes": one, "path": None} for one in encoded] if struct else encoded
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())]) if struct else pa.binary()
    table = pa.table({image: pa.array(column, kind), label: pa.array(list(labels)), **(extra or {})})
    if names:
        features = {image: {"_type": "Image"}, label: {"_type": "ClassLabel", "names": list(names)}}
        meta = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(meta)
    pq.write_table(table, path)
    return path


def class_folders(root: Path, rng, counts: dict[str, int], height=6, width=6, channels=3, form="png"):
    """Write `counts[name]` images into `root/name/`."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i, pixels in enumerate(images(rng, count, height, width, channels)):
            Image.fromarray(pixels).save(root / name / f"{i:03d}.{form}")
    return root
