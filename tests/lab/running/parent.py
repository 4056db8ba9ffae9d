"""A process that runs the toy design: `python -m tests.lab.running.parent OUT PAUSE WORKERS [EXECUTOR [ADDRESS]]`.

Writes one JSON event a line and the result as the last.
"""

import json
import sys
from pathlib import Path

from gradlab.types import UserError
from tests.lab import toy


def main(out: str, pause: str, workers: str, executor: str = "local", address: str | None = None) -> int:
    try:
        result = toy.run(
            toy.small_design(float(pause)),
            toy.request(Path(out), (0, 1), workers=int(workers), executor=executor, address=address),
            on_event=lambda event: print(json.dumps(event), flush=True),
        )
    except UserError as error:
        print(json.dumps({"event": "error", "message": str(error)}), flush=True)
        return 1
    print(json.dumps({"event": "result", "result": result}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
