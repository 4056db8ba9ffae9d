"""A node of a cluster that a test plays, with a folder of its own: `python -m tests.lab.running.node FOLDER`.

Reads one JSON task a line and answers with JSON events.
"""

import json
import os
import sys

from gradlab.lab.running.remote import do_task


def main(folder: str) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    for line in sys.stdin:
        end = do_task(
            json.loads(line) | {"out": folder}, lambda event: print(json.dumps(event), file=answers)
        )
        print(json.dumps(end), file=answers)


if __name__ == "__main__":
    main(sys.argv[1])
