"""What the templates show of runs: the grid of arms by seeds, and their list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from gradlab.report._view import View, plain_value
from gradlab.report.numbers import MISSING, number

_STATES = {"trained": "●", "untrained": "○", "diverged": "✕", "finished": "◐"}
_WORDS = {"trained": "learned", "untrained": "did not learn", "diverged": "diverged", "finished": "finished"}


def runs_view(results: Mapping[str, Any]) -> View | None:
    """Prepare the grid of runs (arm by seed) and their list; a run that stands for all seeds is shown once."""
    every = results.get("runs") or []
    if not every:
        return None
    labels = {arm["name"]: arm.get("label") or arm["name"] for arm in results.get("arms") or []}
    seeds = list(dict.fromkeys(run["seed"] for run in every))
    kept = dict[tuple[str, Any], Mapping[str, Any]]()
    for run in every:
        kept.setdefault((run["arm"], run.get("record") or run["seed"]), run)
    runs = list(kept.values())
    shown, asked = (Counter(run["arm"] for run in some) for some in (runs, every))
    alone = {arm for arm in shown if shown[arm] == 1 < asked[arm]}
    labels |= {arm: f"{labels.get(arm, arm)}, 1 network" for arm in alone}
    grid: dict[str, dict[Any, tuple[str, str]]] = {}
    for run in runs:
        grid.setdefault(run["arm"], {})[run["seed"]] = (_state(run), _title(run))
    states = [_state(run) for run in runs]
    counted = [f"{states.count(s)} {_WORDS[s]}" for s in _STATES if s in states]
    return {
        "seeds": seeds,
        "grid": [(labels.get(arm, arm), [row.get(s, ("", "")) for s in seeds]) for arm, row in grid.items()],
        "signs": {s: mark for s, mark in _STATES.items() if s in states},
        "words": _WORDS,
        "summary": f"{len(runs)} runs: {', '.join(counted)}. One run is one arm at one seed"
        f"{', or stands for all seeds where there is 1 network' if alone else ''}.",
        "rows": [
            [labels.get(r["arm"], r["arm"]), number(r["seed"]), r.get("status"), plain_value(_learned(r)),
             Markup('<span class="hash">{}</span>').format(r.get("record") or MISSING), plain_value(r.get("note"))]
            for r in runs
        ],
    }  # fmt: skip


def _state(run: Mapping[str, Any]) -> str:
    if run.get("status") == "diverged":
        return "diverged"
    return {True: "trained", False: "untrained"}.get(_learned(run), "finished")


def _learned(run: Mapping[str, Any]) -> Any:
    """Return whether a run learned; older results call it trained."""
    return run.get("learned", run.get("trained"))


def _title(run: Mapping[str, Any]) -> str:
    note = f", {run['note']}" if run.get("note") else ""
    return f"seed {run['seed']}: {run.get('status')}, {_WORDS[_state(run)]}{note}, record {str(run.get('record'))[:12]}"
