"""Names of report folders: everything that changes the result and is not the default stands in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

LONGEST = 100
"""Characters; a longer name ends in a hash of what was cut off."""


def report_name(study: str, data: str, preset: str, changed: Mapping[str, Any]) -> str:
    """Return the name of a report's folder, such as "residual-mlp-digits-quick-depths-2-8-seeds-3".

    Args:
        changed: what differs from the default: parameters of the study, seeds, first seed, precision, device.
    """
    words = [study, data, preset, *(f"{name}-{_said(value)}" for name, value in changed.items())]
    exact = "-".join(words)
    plain = re.sub(r"[^\w.-]+", "-", exact).strip("-").replace("_", "-")
    told = re.sub(r"-{2,}", "-", plain)
    lossy = re.sub(r"[\w.-]", "", exact.replace(" ", "")) != ""
    if not lossy and len(told) <= LONGEST:
        return told
    digest = hashlib.sha256(exact.encode()).hexdigest()[:8]
    return f"{told[: LONGEST - 9].rstrip('-')}-{digest}"


def _said(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(_said, value))
    if isinstance(value, Mapping):
        return " ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
