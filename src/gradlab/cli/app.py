"""The program `gradlab`: its verbs, and one sentence for every mistake."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cyclopts import App, CycloptsError
from rich.console import Console

from gradlab import __version__
from gradlab._plain import printable
from gradlab.cli.start import INTERRUPTED
from gradlab.training.torchrun import is_one_of_several
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
VERBS = {
    "run": "Run a study and write its report; what has run before is not run again.",
    "plan": "Estimate a study's running time and the smallest effect it can detect, before anything runs.",
    "report": "Write reports again from their records, without training.",
    "verify": "Recompute every number of a report from its records; exit code 1 if any differs.",
    "diff": "Compare two reports: what differs in the settings, and which claims came out differently.",
    "train": "Train one network and keep it as a model folder; an interrupted training resumes.",
    "evaluate": "Score a trained network on images with labels: all metrics, intervals, every class.",
    "certify": "Attack a trained network in many ways, and judge whether surviving them means anything; "
    "exit code 1 if it does not.",
    "predict": "Name the most probable classes of pictures; exit code 1 if one cannot be read.",
    "runs": "List, show, compare, export and prune the runs in a folder; without a command, list them.",
    "list": "Show what there is: studies, data sets, networks, recipes, attacks, detectors, explainers, measures and more.",
    "data": "List, download, check and compare data sets.",
}
"""Verb -> what it does, for the list of verbs; its file is loaded when it is asked for."""
FILES = {"list": "show"}
"""Verb -> name of its file, where they differ."""
LOADED: set[str] = set()
for _number, (_verb, _sentence) in enumerate(VERBS.items()):
    app.command(f"gradlab.cli.{FILES.get(_verb, _verb)}:app", name=_verb, help=_sentence, sort_key=_number)


def load_verb(verb: str) -> None:
    """Load a verb, with all that its own help says; what is no verb is left to be refused."""
    if verb in VERBS and verb not in LOADED:
        own: App = import_module(f"gradlab.cli.{FILES.get(verb, verb)}").app
        own.sort_key = list(VERBS).index(verb)
        del app[verb]
        app.command(own)
        LOADED.add(verb)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code: 0, 1 for a finding or a mistake, 2 where no study was named, 130 when
    interrupted."""
    errors = Console(stderr=True, soft_wrap=True)
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if is_one_of_several() and words[:1] != ["train"]:
            raise UserError(
                "torchrun divides one training among processes; start gradlab train with it, and everything else without."
            )
        code = app(words)
        sys.stdout.flush()
    except (UserError, CycloptsError) as error:
        from gradlab.cli._errors import sentence  # it knows all that can be mistyped

        errors.print(f"gradlab: {printable(sentence(error))}", highlight=False, markup=False)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        from gradlab.lab.running.worker import disk_message

        errors.print(f"gradlab: {printable(disk_message(error, kept=''))}", highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print(INTERRUPTED, highlight=False)
        return 130
    return code if isinstance(code, int) else 0
