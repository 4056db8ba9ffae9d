"""Fifty processes that write the same records at once, of which half are killed outright at random moments."""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from gradlab.lab.records.binding import spec_hash
from gradlab.lab.records.placing import write_record
from gradlab.lab.records.record import Record

PROCESSES, KILLED, RECORDS = 50, 25, 60


def spec(number: int) -> dict[str, object]:
    kind = {"kind": "train", "number": number}
    return {"procedure": kind, "inputs": {}, "content": {}, "named": [], "seed": number}


def values(number: int) -> np.ndarray:
    return np.arange(number, number + 2000)


def write_all(records: Path, told: Path, seed: int) -> None:
    """Write every record, in an order of its own, and tell each when it stands."""
    numbers = list(range(RECORDS))
    random.Random(seed).shuffle(numbers)
    with told.open("ab", buffering=0) as file:
        for number in numbers:
            bound = SimpleNamespace(hash=spec_hash(spec(number)), spec=spec(number))
            tables, tensors = {"t": {"x": values(number)}}, {"weights.safetensors": bytes(50_000)}
            write_record(
                records, bound, facts={"number": number}, made={"by": seed}, tables=tables, tensors=tensors
            )
            file.write(f"{bound.hash}\n".encode())


def half_visible(records: Path) -> list[str]:
    """Names under which something stands that is no whole record."""
    return [path.name for path in records.glob("[0-9a-f]*") if Record(path).damaged()]


def main(out: Path, seed: int) -> None:
    """Start all, kill some, look in between; prints what was seen."""
    records, rng = out / "records", random.Random(seed)
    records.mkdir(parents=True)
    writers = []
    for number in range(PROCESSES):
        pid = os.fork()
        if not pid:
            code = 1
            try:
                write_all(records, out / f"{number}.told", number)
                code = 0
            finally:
                os._exit(code)
        writers.append(pid)
    seen = []
    for pid in rng.sample(writers, KILLED):
        time.sleep(rng.random() * 0.02)
        os.kill(pid, signal.SIGKILL)
        seen += half_visible(records)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in writers]
    print(json.dumps({"half visible": seen, "codes": codes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
