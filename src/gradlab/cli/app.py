"""The program `gradlab`: its verbs, and one sentence for every mistake."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError
from rich.console import Console

from gradlab import __version__
from gradlab._plain import printable
from gradlab.cli import data, diff, evaluate, plan, predict, report, run, runs, show, train, verify
from gradlab.cli._errors import sentence
from gradlab.cli.start import INTERRUPTED
from gradlab.lab.running.worker import disk_message
from gradlab.types import UserError

app = App(
    name="gradlab",
    help="A laboratory for deep networks: every question a controlled study, every answer a verdict.",
    help_epilogue="Example: gradlab run residual-mlp",
    version=__version__,
    help_format="plaintext",
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
app.command(run.app, name="run")
app.command(plan.app, name="plan")
app.command(report.report, name="report", sort_key=3, help_epilogue=report.EXAMPLE)
app.command(verify.verify, name="verify", sort_key=4, help_epilogue=verify.EXAMPLE)
app.command(diff.diff, name="diff", sort_key=4, help_epilogue=diff.EXAMPLE)
app.command(train.app, name="train")
app.command(evaluate.evaluate, name="evaluate", sort_key=6, help_epilogue=evaluate.EXAMPLE)
app.command(predict.predict, name="predict", sort_key=7, help_epilogue=predict.EXAMPLE)
app.command(runs.app, name="runs")
app.command(show.show, name="list", sort_key=9, help_epilogue=show.EXAMPLE)
app.command(data.app, name="data")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code: 0, 1 for a finding or a mistake, 2 where no study was named, 130 when
    interrupted."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        code = app(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except (UserError, CycloptsError) as error:
        errors.print(f"gradlab: {printable(sentence(error))}", highlight=False, markup=False)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        errors.print(f"gradlab: {printable(disk_message(error, kept=''))}", highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print(INTERRUPTED, highlight=False)
        return 130
    return code if isinstance(code, int) else 0
