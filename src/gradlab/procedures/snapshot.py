"""The network of a training as it was after one of its epochs: `Snapshot`, what its runs write, and the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Kind, Outcome
from gradlab.lab.running.desk import Progress
from gradlab.procedures import _fits
from gradlab.procedures._pace import IMAGES, pass_cost, pass_seconds
from gradlab.procedures._predictions import (
    PREDICTIONS,
    SCORES,
    has_learned,
    prediction_table,
    scores,
    wrong_predictions,
)
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Snapshot(Procedure):
    """Take the network that a training had after an epoch, and predict the test images; nothing in it is random.

    Attributes:
        net: a training whose recipe keeps the weights of that epoch, `Recipe(snapshots=(1, 2, 4))`.
        data: whose test images it predicts. epoch: counted from 1.
    """

    kind: Literal["snapshot"] = "snapshot"
    net: Input
    data: DataName
    epoch: Count

    def __post_init__(self) -> None:
        recipe = getattr(self.net, "recipe", None)
        if recipe is not None and self.epoch not in recipe.snapshots:
            told = ", ".join(map(str, recipe.snapshots)) or "none"
            raise UserError(
                f"the training keeps the weights of epochs {told}, not of {self.epoch}; name it in Recipe(snapshots=…)."
            )


def _work(procedure: Snapshot, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._networks import refuse_misfit

    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to predict; choose data with a test part.")
    for job in jobs:
        network = job.network()
        network.load_state_dict(_weights(procedure, job, desk))
        refuse_misfit(network, data)
        desk.tell(Progress(0.1, f"weights of epoch {procedure.epoch}"))
        made = _outcome(network, data, desk)
        desk.tell(Progress(1.0, f"predicted {len(data.test):,} images"))
        yield made


def _weights(procedure: Snapshot, job: Job, desk: Desk) -> Mapping[str, Any]:
    """Return the weights after the epoch, which the training's record holds as `epoch-N/name`."""
    from gradlab.lab.records.record import WEIGHTS, Record

    source = job.inputs["net"]
    path = source.file(WEIGHTS) if isinstance(source, Record) else None
    start = f"epoch-{procedure.epoch}/"
    held = {} if path is None else desk.toolbox.unpack(path)
    found = {name.removeprefix(start): value for name, value in held.items() if name.startswith(start)}
    if not found:
        raise UserError(
            f"the network holds no weights of epoch {procedure.epoch}; name a training whose recipe keeps them, and which "
            "came that far."
        )
    return found


def _outcome(network: nn.Module, data: Dataset, desk: Desk) -> Outcome:
    from gradlab.training.predict import predict_logits

    assert data.test is not None  # checked above
    precision: Any = desk.precision
    logits = predict_logits(network, data.test.to(desk.device), precision=precision).float().cpu().numpy()
    labels = data.test.labels.cpu().numpy()
    facts = {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters() if one.requires_grad),
        "class_names": list(data.class_names),
        "test": scores(logits, labels),
        **_fits.network_facts(network, data),
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    return Outcome(facts, {"predictions": prediction_table(logits, labels)}, weights)


def _describe(procedure: Snapshot, run: Results) -> dict[str, Any]:
    return {
        "parameters": run.facts["parameters"],
        "layers": f"after epoch {procedure.epoch}",
        "recipe": "as trained",
    }


def _network(record: Record, desk: Desk, _store: Store) -> nn.Module:
    from gradlab.procedures._networks import network_of

    return network_of(record, desk.modules)


def _cost(procedure: Snapshot, counts: Mapping[str, Mapping[str, int]]) -> float:
    return counts[procedure.data].get("test", 1) / 3 / IMAGES * pass_cost(procedure.net)


SNAPSHOT = Kind(
    name="snapshot",
    title="a network after an epoch",
    configuration=Snapshot,
    reads="images",
    work=_work,
    tables={"predictions": PREDICTIONS},
    measures={measure.name: measure for measure in SCORES},
    learned=has_learned,
    check=wrong_predictions,
    describe=_describe,
    network=_network,
    draws=False,
    cost=_cost,
    pace=pass_seconds,
)
