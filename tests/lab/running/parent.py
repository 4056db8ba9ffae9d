"""A process that runs a design on worker processes: `python -m tests.lab.parent OUT EPOCHS WORKERS SEED...`.

Writes one JSON event a line and the result as the last.
"""

import json
import sys
from pathlib import Path

from gradlab.lab.run import Request, facts_of, run_design
from gradlab.types import UserError
from tests.lab.fakes import small_design


def main(out: str, epochs: str, workers: str, *seeds: str) -> int:
    request = Request(
        preset="quick",
        data="digits",
        seeds=tuple(map(int, seeds)),
        out=Path(out),
        device="cpu",
        workers=int(workers),
    )
    try:
        result = run_design(
            small_design(int(epochs)),
            request,
            facts_of(request),
            on_event=lambda event: print(json.dumps(event), flush=True),
        )
    except UserError as error:
        print(json.dumps({"event": "error", "message": str(error)}), flush=True)
        return 1
    print(json.dumps({"event": "result", "result": result}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
