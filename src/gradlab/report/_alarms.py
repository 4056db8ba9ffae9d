"""What the probes say: alarms by arm and moment, for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradlab.report.numbers import number

COLUMNS = ["Arm", "When", "Alarm, and how many runs raise it"]
LEAD = (
    "Probes looked into every layer on one fixed training batch, the same for every arm and seed, and these numbers "
    "passed a threshold. An alarm is a hint, not a verdict; arms not listed raised none."
)
ATTACKED = " That of adversarial training is no probe's: it looks at the robust accuracy after every epoch."
NOTHING = "Probes looked into every layer on one fixed training batch, and no run raised an alarm."


def alarms_view(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Prepare the section: a sentence and one row an arm and moment; None where nothing was probed."""
    alarms = results.get("alarms")
    if alarms is None:
        return None
    told: dict[tuple[str, str], list[str]] = {}
    for alarm in alarms:
        text = f"{alarm['text']} ({number(alarm['seeds'])} of {number(alarm['runs'])})"
        told.setdefault((str(alarm["arm"]), str(alarm["when"])), []).append(text)
    arms = list(dict.fromkeys(arm for arm, _ in told))
    rows = [
        [arm, when, "; ".join(texts)] for name in arms for (arm, when), texts in told.items() if arm == name
    ]
    attacked = ATTACKED if any(alarm["kind"] == "catastrophic overfitting" for alarm in alarms) else ""
    return {"lead": LEAD + attacked if rows else NOTHING, "columns": COLUMNS, "rows": rows}
