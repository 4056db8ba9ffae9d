"""`gradlab.run` and `gradlab.plan`: a study, shipped or of one's own, from its parameters to its report."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.design import Design
from gradlab.lab.kinds import Kind
from gradlab.lab.records.adopting import adopt
from gradlab.lab.records.wanted import records_named
from gradlab.lab.running.kept import keep
from gradlab.lab.running.locks import STUDY, exclusive, shared
from gradlab.lab.running.ready import make_ready
from gradlab.lab.running.request import Executor, Request
from gradlab.lab.running.run import judge_design
from gradlab.lab.running.worker import disk_message
from gradlab.preparing import DEFAULT_SEEDS, prepare
from gradlab.report.index import write_index
from gradlab.reporting import write_when_changed
from gradlab.result import Result
from gradlab.studies.setup import Preset, Study
from gradlab.training.recipe import Precision
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset, TextDataset
    from gradlab.lab.planning import StudyPlan


def run(
    study: str | Study | Design,
    *,
    preset: Preset = "quick",
    data: str | Path | Dataset | TextDataset | None = None,
    data_dir: str | Path | None = None,
    seeds: int = DEFAULT_SEEDS,
    first_seed: int = 0,
    device: str = "auto",
    precision: Precision = "fp32",
    out: str | Path = "runs",
    records: Sequence[str | Path] = (),
    tracker: str | Sequence[str] = (),
    progress: bool | None = None,
    executor: Executor = "local",
    address: str | None = None,
    store: str | None = None,
    procedures: Sequence[Kind] = (),
    command: str | None = None,
    **parameters: Any,
) -> Result:
    """Run a study and write its report; what has been run before is not run again.

    Args:
        study: a name that `gradlab list` shows, a function (setup, parameters) -> Design, or a Design.
        preset: "quick" (about a minute), "standard" (a laptop, at most half an hour) or "full" (as published).
        data: a name that `gradlab data list` shows, a path, or a Dataset or TextDataset in memory; left out:
            digits, rotten-tomatoes for studies of texts, coloured-digits for those of CLIP.
        data_dir: where data sets lie; GRADLAB_DATA if not given.
        seeds: how many, paired across arms. first_seed: of them; another one repeats the study afresh.
        device: "auto", "cpu", "cuda" or "mps". precision: "fp32", "bf16", "fp16" (not on a CPU) or "fp64".
        out: folder that holds records and reports.
        records: further such folders, whose finished runs count as done; they are only read, and what is used of them is
            copied, so that `out` stays whole by itself.
        tracker: "tensorboard", "wandb", or several.
        progress: live display on stderr; by default as the terminal allows.
        executor: "local", worker processes of this machine, or "ray", also on other machines.
        address: of the head of a Ray cluster, such as "10.0.0.1:6379"; without it Ray starts on this machine.
        store: a place that other machines share, such as "s3://bucket/study"; finished runs are fetched from there and
            kept there.
        procedures: kinds of your own that the study uses; they run in this process.
        command: how to run this again, for the report.
        parameters: the study's own, such as depths=(2, 32).

    Raises:
        UserError: one sentence that says what to mend; finished runs are kept.
    """
    design, request, _ = prepare(
        study,
        preset=preset,
        data=data,
        data_dir=data_dir,
        seeds=seeds,
        first_seed=first_seed,
        device=device,
        precision=precision,
        out=out,
        records=records,
        parameters=parameters,
        command=command,
        executor=executor,
        address=address,
        store=store,
        procedures=procedures,
    )
    names = (tracker,) if isinstance(tracker, str) else tuple(tracker)
    try:
        return _run(design, request, names, progress)
    except OSError as error:
        raise UserError(disk_message(error)) from error


def _run(design: Design, request: Request, trackers: Sequence[str], progress: bool | None) -> Result:
    """Run a design and write its report, shown and tracked."""
    from gradlab.lab.planning import out_of_reach
    from gradlab.lab.running.progress import study_progress
    from gradlab.lab.running.trackers import check_tracker, open_trackers

    folder = request.out / "reports" / request.report
    for name in trackers:
        check_tracker(name)
    make_ready(request)
    with (
        shared(request.out / "work" / STUDY),
        open_trackers(trackers, request.out, design) as track,
        study_progress(progress) as show,
    ):
        waiting = list(out_of_reach(design, request))

        def hear(event: dict[str, Any]) -> None:
            show(event)
            track(event)
            while (
                event["event"] == "start" and event["units"] and waiting
            ):  # said once, where there is work to do
                show({"event": "told", "text": waiting.pop(0)})

        judged = judge_design(design, request, on_event=hear)
        adopt(records_named(judged.results), request.store)
        with exclusive(request.out / "work" / f"{folder.name}.lock"):
            write_when_changed(judged.results, folder, is_read=judged.is_read)
            keep(folder, judged.key)
        with exclusive(request.out / "work" / "index.lock"):
            write_index(folder.parent)
    return Result(judged.results, folder)


def plan(study: str | Study | Design, **arguments: Any) -> StudyPlan:
    """Say what a study would cost and what it could detect, before anything runs; arguments as for `run`."""
    from gradlab.lab.planning import plan_design

    needed = inspect.signature(prepare).parameters
    defaults = {
        name: one.default
        for name, one in inspect.signature(run).parameters.items()
        if name in needed and one.kind is one.KEYWORD_ONLY
    }
    given = {name: arguments.pop(name) for name in list(arguments) if name in defaults}
    design, request, facts = prepare(study, parameters=arguments, **(defaults | given))
    del facts
    return plan_design(design, request)
