"""Attacking the network of another run: `Attack`, what its runs write, and the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab import attacks
from gradlab._configuration import dataclass
from gradlab.attacks.registry import Attack as By
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Column, Kind, Measure, Outcome
from gradlab.lab.running.desk import Progress
from gradlab.procedures._predictions import usable_logits, wrong_under_attack
from gradlab.statistics import ratio_samples
from gradlab.types import STRICT, Count, PixelEps, UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gradlab.data import Dataset
    from gradlab.lab.running.desk import Desk, Job

PART = 500
"""Images that are attacked between two moments at which killed work can go on."""
ROUNDING = 1e-6
"""By which a norm may exceed its budget: that of storing it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Attack(Procedure):
    """Attack test images within several radii; the arms of a study are slices of it, `at={"eps": 8/255}`.

    Attributes:
        net: whose network is attacked. data: whose test images. by: the attack; its own eps gives way to these.
        eps: radii on the [0, 1] pixel scale, such as 8/255. images: how many, drawn once with the class shares of the
            whole; None for all.
    """

    kind: Literal["attack"] = "attack"
    net: Input
    data: DataName
    by: Annotated[By, Field(discriminator="kind")]
    eps: tuple[PixelEps, ...]
    images: Count | None = None

    def __post_init__(self) -> None:
        attacks.over_eps(self.by, self.eps)  # refuses none, and one that is there twice


def _work(procedure: Attack, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to attack; choose data with a test part.")
    rows = chosen_rows(data, procedure.images)
    for job in jobs:
        yield _attack(procedure, job, desk, data, rows)


def chosen_rows(data: Dataset, count: int | None) -> np.ndarray:
    """Return the rows of the test images that are attacked, the same for every seed."""
    from gradlab.data import draw

    assert data.test is not None  # checked by the caller
    if count is None or count >= len(data.test):
        return np.arange(len(data.test))
    return np.sort(draw(data.test.labels, count, seed=0).cpu().numpy())


def _attack(procedure: Attack, job: Job, desk: Desk, data: Dataset, rows: np.ndarray) -> Outcome:
    import torch

    from gradlab.data import gather
    from gradlab.procedures._networks import refuse_misfit

    network = job.network()
    refuse_misfit(network, data)
    assert data.test is not None  # checked above
    test = data.test.to(desk.device)
    blocks = np.array_split(rows, max(1, -(-len(rows) // PART)))
    radii = attacks.over_eps(procedure.by, procedure.eps)
    total = len(radii) * len(blocks)

    def part(number: int) -> Mapping[str, Tensor]:
        eps, block = list(radii)[number // len(blocks)], number % len(blocks)
        indices = torch.from_numpy(blocks[block]).to(desk.device)
        images = gather(test, indices, dtype=torch.float32)
        stream = job.generator("start", f"{eps:.9f}", block)
        found = attacks.attacked(radii[eps], network, images, test.labels[indices], generator=stream)
        desk.tell(
            Progress((number + 1) / total, f"{procedure.by.kind} at eps {eps:.4g}", given=number / total)
        )
        return {
            "clean": found.clean_logits.float(),
            "logits": found.adversarial_logits.float(),
            "linf": found.linf,
            "l2": found.l2,
            "blind": found.is_blind,
        }

    parts = desk.in_parts(f"attack-{job.seed}", total, part)
    joined = {name: torch.cat([one[name] for one in parts]).numpy() for name in parts[0]}
    labels = test.labels.cpu().numpy()[rows]
    return _outcome(procedure, list(radii), rows, labels, joined, data, network)


def _outcome(
    procedure: Attack,
    radii: list[float],
    rows: np.ndarray,
    labels: np.ndarray,
    found: Mapping[str, np.ndarray],
    data: Dataset,
    network: nn.Module,
) -> Outcome:
    count = len(rows)
    before, after = (usable_logits(found[name]).argmax(1).astype(np.int16) for name in ("clean", "logits"))
    attacked = {
        "eps": np.repeat(np.array(radii, dtype=np.float64), count),
        "index": np.tile(rows, len(radii)).astype(np.int32),
        "label": np.tile(labels, len(radii)).astype(np.int16),
        "clean": before,
        "prediction": after,
        "linf": found["linf"].astype(np.float32),
        "l2": found["l2"].astype(np.float32),
        "blind": found["blind"].astype(bool),
    }
    attacked |= {f"logit_{k}": found["logits"][:, k] for k in range(found["logits"].shape[1])}
    attacked |= {f"clean_logit_{k}": found["clean"][:, k] for k in range(found["clean"].shape[1])}
    facts = {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(data.class_names),
        "images": count,
        "attack": procedure.by.kind,
    }
    return Outcome(facts, {"attacked": attacked})


def _columns(run: Results, *names: str) -> list[np.ndarray]:
    table = run.table("attacked")
    return [table[name].astype(np.int64) for name in names]


def _still_right(run: Results) -> np.ndarray:
    label, clean, prediction = _columns(run, "label", "clean", "prediction")
    return np.asarray((clean == label) & (prediction == label), dtype=np.float64)


def _right(run: Results) -> np.ndarray:
    label, clean = _columns(run, "label", "clean")
    return np.asarray(clean == label, dtype=np.float64)


def _axis(run: Results) -> str:
    return run.axis("test", run.table("attacked")["index"])


def _fooled(run: Results) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 where an image that was classified correctly no longer is, and 1 where it was."""
    right = _right(run)
    return right - _still_right(run), right


def _success(run: Results) -> float:
    fooled, right = _fooled(run)
    return float(fooled.sum() / right.sum()) if right.any() else float("nan")


def _success_samples(run: Results) -> Axes:
    return {_axis(run): ratio_samples(*_fooled(run)).samples}


MEASURES = (
    Measure(
        "robust accuracy",
        "fraction",
        "higher",
        lambda run: float(_still_right(run).mean()),
        lambda run: {_axis(run): _still_right(run)},
        range=(0, 1),
        exact=True,
    ),
    Measure(
        "clean accuracy",
        "fraction",
        "higher",
        lambda run: float(_right(run).mean()),
        lambda run: {_axis(run): _right(run)},
        range=(0, 1),
        exact=True,
    ),
    Measure("attack success", "fraction", "neither", _success, _success_samples, range=(0, 1)),
)
"""Attack success is over the images that were classified correctly before: a ratio, its interval linearised."""


def _check(run: Results) -> list[str]:
    """Name what contradicts the logits, or the budget."""
    table = run.table("attacked")
    if "linf" not in table or "eps" not in table:
        return []
    over = (table["linf"] > table["eps"] + ROUNDING).any()
    return (["linf"] if over else []) + wrong_under_attack(table)


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say where gradients showed the attack no direction, so that it proves little."""
    blind = [float(run.table("attacked")["blind"].mean()) for run in runs if "blind" in run.table("attacked")]
    share = max(blind, default=0.0)
    if share < 0.01:
        return []
    return [f"{label}: the gradient is zero at {share:.0%} of the images, so the attack shows little there"]


def _describe(procedure: Attack, run: Results) -> dict[str, Any]:
    radii = ", ".join(f"{round(eps * 255, 2):g}/255" for eps in procedure.eps)
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['images']:,} test images attacked",
        "recipe": f"{_told(procedure.by)} at eps {radii}",
    }


def _told(by: By) -> str:
    """Say an attack's settings in one line, without the radius."""
    rest = {
        name: value for name, value in vars(by).items() if name not in ("kind", "eps") and value is not None
    }
    shown = [f"{name.replace('_', ' ')} {str(value).lower()}" for name, value in rest.items()]
    return ", ".join([by.kind.upper(), *shown])


def _cost(procedure: Attack, counts: Mapping[str, Mapping[str, int]]) -> float:
    images = procedure.images or counts[procedure.data].get("test", 1)
    return len(procedure.eps) * images * getattr(procedure.by, "steps", 1) / 128


ATTACK = Kind(
    name="attack",
    title="attack",
    configuration=Attack,
    reads="images",
    work=_work,
    tables={
        "attacked": {
            "eps": Column("eps"),
            "linf": Column("largest change of a pixel"),
            "prediction": Column("predicted class under attack"),
            "label": Column("true class"),
        }
    },
    measures={measure.name: measure for measure in MEASURES},
    check=_check,
    flags=_flags,
    describe=_describe,
    cost=_cost,
)
