"""The work of a certificate, stage by stage, so that a killed one goes on at the stage where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from gradlab.attacks.certificate import Certificate, Reason
from gradlab.attacks.effort import Effort
from gradlab.attacks.examination import Examination, examine
from gradlab.data import Dataset, gather
from gradlab.lab.kinds import Outcome
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress
from gradlab.procedures._networks import refuse_misfit
from gradlab.procedures.certify import WITHSTOOD, told_of

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.procedures.certify import Certify


def certify_network(
    procedure: Certify, effort: Effort, job: Job, desk: Desk, data: Dataset, rows: np.ndarray
) -> Outcome:
    """Examine the network of one job on some test images.

    Args:
        procedure: the configuration `Certify`. rows: of the test images.
    """
    network = job.network()
    twin = None if procedure.twin is None else job.network("twin")
    assert data.test is not None  # checked by the caller
    for one in (network, twin):
        if one is not None:
            refuse_misfit(one, data)
    test, indices = data.test.to(desk.device), torch.from_numpy(rows).to(desk.device)
    images, labels = gather(test, indices, dtype=torch.float32), test.labels[indices]
    examined = examine(network, images, labels, procedure.eps, procedure.norm, effort, twin)
    stages = list(examined.stages)
    for number, name in enumerate(stages):
        (kept,) = desk.in_parts(f"certify-{name}", 1, partial(_run, examined, name))
        _go_on(examined, kept)
        desk.tell(Progress((number + 1) / len(stages), f"certificate: {name}", given=number / len(stages)))
    return _outcome(examined, rows, data, network)


def _run(examined: Examination, name: str, _number: int) -> Mapping[str, Tensor]:
    """Run a stage; returns the state after it, as tensors."""
    examined.run(name)
    told = {
        "attacks": examined.battery.shares,
        "checks": [
            [check, asdict(one) if isinstance(one, Reason) else one] for check, one in examined.outcomes
        ],
    }
    text = bytearray(json.dumps(told).encode())
    return {
        "fooled_by": examined.battery.fooled_by.clone(),
        "told": torch.frombuffer(text, dtype=torch.uint8).clone(),
    }


def _go_on(examined: Examination, kept: Mapping[str, Tensor]) -> None:
    """Put an examination into the state after a stage."""
    told = json.loads(bytes(kept["told"].tolist()))
    battery = examined.battery
    battery.fooled_by = kept["fooled_by"].to(battery.labels.device)
    battery.left = battery.fooled_by == WITHSTOOD
    battery.shares = dict(told["attacks"])
    examined.outcomes = [
        (check, Reason(**one) if isinstance(one, dict) else one) for check, one in told["checks"]
    ]


def _outcome(examined: Examination, rows: np.ndarray, data: Dataset, network: nn.Module) -> Outcome:
    found, fooled_by = examined.certificate(), examined.battery.fooled_by.cpu().numpy()
    facts: dict[str, Any] = {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(data.class_names),
        "images": len(rows),
        "budget": found.budget,
        "finding": found.finding,
        "reasons": "; ".join(f"{one.check}: {one.text}" for one in found.reasons) or "every check passed",
        "fooled by": told_of(list(found.attacks), fooled_by),
    }
    tables: dict[str, Columns] = {
        "certified": {
            "index": rows.astype(np.int64),
            "label": examined.battery.labels.cpu().numpy(),
            "fooled_by": fooled_by.astype(np.int64),
        },
        "attacks": {
            "attack": np.array(list(found.attacks), dtype=str),
            "left": np.array(list(found.attacks.values()), dtype=np.float64),
        },
        "checks": _checks(found),
    }
    return Outcome(facts, tables)


def _checks(found: Certificate) -> Columns:
    """Return a row for every check: what it found, what was seen, and what to do about it."""
    rows: list[tuple[str, str, str, str]] = []
    rows += [(one.check, one.finding, one.text, one.remedy) for one in found.reasons]
    rows += [(name, "passed", "", "") for name in found.passed]
    rows += [(name, "not asked", why, "") for name, why in found.skipped.items()]
    return {
        column: np.array([row[place] for row in rows], dtype=str)
        for place, column in enumerate(("check", "finding", "text", "remedy"))
    }
