"""The work of an attack in parts, with what it leaves: the table of all images, and pictures of some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from gradlab import attacks
from gradlab.attacks.attacked import Attacked
from gradlab.attacks.each_eps import each_eps
from gradlab.attacks.numbers import COLUMNS, columns_of, confidence, usable
from gradlab.data import Dataset, gather
from gradlab.lab.kinds import Outcome
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress
from gradlab.procedures._gallery import before_and_after, png_base64
from gradlab.procedures._networks import refuse_misfit

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.procedures.attack import Attack

PART = 500
"""Images that are attacked between two moments at which killed work can go on."""
EXAMPLES = 6
"""Successes of every radius whose pictures are kept."""


def attack_network(procedure: Attack, job: Job, desk: Desk, data: Dataset, rows: np.ndarray) -> Outcome:
    """Attack some test images at every radius, part by part.

    Args:
        procedure: the configuration `Attack`. rows: of the test images.
    """
    network = job.network()
    refuse_misfit(network, data)
    assert data.test is not None  # checked by the caller
    test = data.test.to(desk.device)
    blocks = np.array_split(rows, max(1, -(-len(rows) // PART)))
    radii = each_eps(procedure.by, procedure.eps)
    total = len(radii) * len(blocks)

    def part(number: int) -> Mapping[str, Tensor]:
        eps, block = list(radii)[number // len(blocks)], number % len(blocks)
        indices = torch.from_numpy(blocks[block]).to(desk.device)
        images, labels = gather(test, indices, dtype=torch.float32), test.labels[indices]
        targets = None
        if procedure.targets is not None:
            stream = job.generator("targets", block)
            targets = attacks.choose_targets(procedure.targets, network, images, labels, generator=stream)
        stream = job.generator("start", f"{eps:.9f}", block)
        found = attacks.attacked(radii[eps], network, images, labels, targets=targets, generator=stream)
        desk.tell(
            Progress((number + 1) / total, f"{procedure.by.kind} at eps {eps:.4g}", given=number / total)
        )
        return _kept(found, blocks[block])

    parts = desk.in_parts(f"attack-{job.seed}", total, part)
    joined = {name: torch.cat([one[name] for one in parts]).numpy() for name in parts[0]}
    counts = [len(one["place"]) for one in parts]
    return _outcome(procedure, list(radii), rows, joined, counts, data, network)


def _kept(found: Attacked, rows: np.ndarray) -> Mapping[str, Tensor]:
    """Return what a finished part leaves, as tensors."""
    successes = found.is_success.nonzero()[:EXAMPLES, 0]
    return {
        **{name: torch.from_numpy(values) for name, values in columns_of(found).items()},
        "clean_logits": found.clean_logits.float(),
        "logits": found.adversarial_logits.float(),
        "place": torch.from_numpy(rows[successes.cpu().numpy()]),
        "picture": before_and_after(found.originals[successes], found.images[successes]),
    }


def _outcome(
    procedure: Attack,
    radii: list[float],
    rows: np.ndarray,
    found: Mapping[str, np.ndarray],
    pictures: list[int],
    data: Dataset,
    network: nn.Module,
) -> Outcome:
    clean, logits, place, picture = (found[name] for name in ("clean_logits", "logits", "place", "picture"))
    attacked: Columns = {
        "eps": np.repeat(np.array(radii, dtype=np.float64), len(rows)),
        "index": np.tile(rows, len(radii)).astype(np.int32),
        **{name: found[name] for name in COLUMNS},
    }
    owner = np.repeat(np.repeat(radii, len(pictures) // len(radii)), pictures)
    kept = [n for eps in radii for n in np.flatnonzero(owner == eps)[:EXAMPLES]]
    examples = _examples(attacked, logits, owner[kept], place[kept], picture[kept])
    attacked = {
        **attacked,
        **{f"logit_{k}": logits[:, k] for k in range(logits.shape[1])},
        **{f"clean_logit_{k}": clean[:, k] for k in range(clean.shape[1])},
    }
    facts = {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(data.class_names),
        "images": len(rows),
        "attack": procedure.by.kind,
    }
    return Outcome(facts, {"attacked": attacked, "examples": examples})


def _examples(
    attacked: Columns, logits: np.ndarray, eps: np.ndarray, index: np.ndarray, pictures: np.ndarray
) -> Columns:
    """Return the successes whose pictures are kept, with the network's own prediction under attack."""
    at = {key: row for row, key in enumerate(zip(attacked["eps"], attacked["index"], strict=True))}
    rows = np.array([at[key] for key in zip(eps, index, strict=True)], dtype=np.int64)
    sure = confidence(usable(logits[rows]), attacked["prediction"][rows]) if len(rows) else np.empty(0)
    return {
        "eps": eps.astype(np.float64),
        "index": index.astype(np.int64),
        "label": attacked["label"][rows],
        "prediction": attacked["prediction"][rows],
        "confidence": sure.astype(np.float64),
        "png": np.array([png_base64(torch.from_numpy(one)) for one in pictures], dtype=str),
    }
