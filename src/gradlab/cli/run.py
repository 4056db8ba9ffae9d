"""`gradlab run STUDY`: run it, print the verdicts, write the report."""

from __future__ import annotations

import json as json_module
import sys
import webbrowser
from typing import Any

from rich.console import Console

from gradlab.cli._studies import RUN_ONLY, study_app
from gradlab.cli._text import print_result
from gradlab.studies import STUDIES
from gradlab.studies.setup import parameters_of


def _run(study: str, *, json: bool, **options: Any) -> int:
    from gradlab.running import run

    wants_page = options.pop("open")
    own = {key: options.pop(key) for key in list(options) if key in parameters_of(STUDIES[study])}
    given = {key: value for key, value in own.items() if value is not None}
    result = run(study, **options, **given)
    if json:
        sys.stdout.write(json_module.dumps(result.results, indent=1, ensure_ascii=False) + "\n")
    else:
        print_result(result, Console(soft_wrap=False))
    if wants_page:
        webbrowser.open(result.report.resolve().as_uri())
    return 0


app = study_app(
    "run",
    "Run a study and write its report; what has run before is not run again.",
    _run,
    RUN_ONLY,
)
