"""What a run leaves behind, made by hand; no torch."""

from pathlib import Path
from typing import Any

import numpy as np

from gradlab.lab import Record
from gradlab.lab.records.binding import Binder, Conditions
from gradlab.lab.records.placing import write_record
from tests.lab.toy import TOOLBOX, Draw

CONDITIONS = Conditions(
    device="cpu",
    precision="fp32",
    threads=1,
    checksums={"made": "sha256:made", "other": "sha256:other"},
    software={"numpy": "2.0"},
    versions={"draw": 1, "sum": 1},
)


def binder(**changes: Any) -> Binder:
    """Bind toys; a Pick takes its first."""
    return Binder(TOOLBOX.kinds, Conditions(**(vars(CONDITIONS) | changes)), lambda _pick, _among: 0)


BOUND = binder().bind(Draw(), 3)
TABLES = {
    "numbers": {"x": np.array([0.5, -2.0, np.nan]), "hit": np.array([1, 0, 0], dtype=np.uint8)},
    "names": {"word": np.array(["å", "b"])},
}


def write(records: Path, number: float = 1.0) -> Record:
    """Write the record."""
    facts = {"status": "finished", "note": None, "mean": number, "word": "å"}
    tables = TABLES | {"curve": {"value": np.array([number])}}
    tensors = {"weights.safetensors": b"not really weights"}
    return write_record(records, BOUND, facts=facts, made={"seconds": 1.0}, tables=tables, tensors=tensors)
