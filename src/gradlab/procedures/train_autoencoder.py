"""Training an auto-encoder, by itself or on the frozen trunk of another run's network: `TrainAutoencoder`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection.autoencoder import AutoEncoder
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Column, Kind, Measure, Outcome
from gradlab.procedures import _fits
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job

SHOWN = 10
"""Test images whose reconstructions a record keeps."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainAutoencoder(Procedure):
    """Train an auto-encoder on training images, choose its weights on validation images, reconstruct the test images.

    Attributes:
        data: with train, validation and test. model: the auto-encoder. recipe: how it is trained.
        net: a training whose network's frozen trunk is the encoder; left out: the auto-encoder has its own.
    """

    kind: Literal["train-autoencoder"] = "train-autoencoder"
    data: DataName
    model: AutoEncoder
    recipe: Recipe
    net: Input | None = None


def _work(procedure: TrainAutoencoder, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.detection import train_autoencoder

    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(
            f"'{data.name}' has no test images here, so its runs cannot be judged; choose data with a test part."
        )
    for job in jobs:
        fit = train_autoencoder(
            procedure.model,
            data.to(desk.device),
            procedure.recipe,
            trunk=None if procedure.net is None else job.network(),
            seed=job.seed or 0,
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            checkpoint=desk.checkpoint,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, fit, data, job)


def _outcome(procedure: TrainAutoencoder, fit: Any, data: Dataset, job: Job) -> Outcome:
    from gradlab.detection import reconstruction_error

    assert data.test is not None  # checked above
    errors = reconstruction_error(fit.model, data.test.to(job.desk.device))
    start = procedure.model.build(
        data.input_shape, seed=job.seed or 0, trunk=None if procedure.net is None else job.network()
    )
    facts = _fits.facts_of(fit, procedure.recipe, _fits.start_digest(start)) | {
        "input_shape": list(data.input_shape),
        "frozen": sum(one.numel() for one in fit.model.parameters() if not one.requires_grad),
    }
    tables = {
        "epochs": _fits.epochs_of(fit),
        "reconstructed": {"squared_error": errors.astype(np.float32)},
        "examples": _examples(fit.model, data),
    }
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=fit.seconds)


def _examples(network: nn.Module, data: Dataset) -> dict[str, np.ndarray]:
    """Return the first test images of the classes in turn, and their reconstructions, as PNG in base64."""
    import torch

    from gradlab.data import gather
    from gradlab.procedures._gallery import png_base64

    assert data.test is not None  # checked by the caller
    rows = torch.arange(min(SHOWN, len(data.test)))
    like = next(network.parameters())
    with torch.no_grad():
        images = gather(data.test.to("cpu"), rows, dtype=like.dtype).to(like.device)
        made = network.reconstruct(images)  # type: ignore[operator]
    both = [[png_base64((one * 255).round().to(torch.uint8)) for one in set_] for set_ in (images, made)]
    return {
        "index": rows.numpy().astype(np.int64),
        "png": np.array(both[0], dtype=str),
        "reconstruction": np.array(both[1], dtype=str),
    }


def _network(record: Record, desk: Desk, store: Store) -> nn.Module:
    """Build the auto-encoder again; the classifier under it is that of the record that it rests on."""
    from safetensors.torch import load_file

    from gradlab.lab.designing.procedure import read_procedure
    from gradlab.lab.records.record import WEIGHTS
    from gradlab.procedures.registry import PROCEDURES
    from gradlab.procedures.sources import FromRecord, network_of_record

    below = record.spec["inputs"].get("net")
    own = dict(record.spec["procedure"]) | ({"net": {"kind": "record", "record": below}} if below else {})
    procedure = read_procedure(own, PROCEDURES)
    assert isinstance(procedure, TrainAutoencoder)  # by its kind
    path = record.file(WEIGHTS)
    if path is None:
        raise UserError(f"record {record.hash} holds no weights; run its study again.")
    trunk = None if below is None else network_of_record(FromRecord(record=below), desk, store)
    network = procedure.model.build(tuple(record.facts["input_shape"]), seed=0, trunk=trunk)
    network.load_state_dict(load_file(path))
    return network.eval()


def _errors(run: Results) -> np.ndarray:
    return run.table("reconstructed")["squared_error"].astype(np.float64)


def _psnr(run: Results) -> float:
    from gradlab.detection import psnr

    return float(psnr(_errors(run).mean()))


def _samples(run: Results) -> Axes:
    return {run.axis("test"): _errors(run)}


def _describe(procedure: TrainAutoencoder, run: Results) -> dict[str, Any]:
    under = f"; on a frozen trunk of {run.facts['frozen']:,} numbers" if procedure.net is not None else ""
    return {
        "parameters": run.facts["parameters"],
        "layers": f"auto-encoder: {procedure.model.describe()}{under}",
        "recipe": procedure.recipe.describe(),
    }


def _cost(procedure: TrainAutoencoder, counts: Mapping[str, Mapping[str, int]]) -> float:
    steps = procedure.recipe.epochs * counts[procedure.data].get("train", 1) / procedure.recipe.batch_size
    return 20.0 * steps * len(procedure.model.widths)


TRAIN_AUTOENCODER = Kind(
    name="train-autoencoder",
    title="training an auto-encoder",
    configuration=TrainAutoencoder,
    reads="images",
    work=_work,
    tables={
        "epochs": {
            "train_loss": Column("training loss"),
            "validation_squared_error": Column("squared error of validation images"),
        },
        "reconstructed": {"squared_error": Column("squared error of an image")},
        "examples": {},
    },
    measures={
        one.name: one
        for one in (
            Measure("squared error", "squared pixel scale", "lower", lambda run: float(_errors(run).mean()), _samples),
            Measure("PSNR", "dB", "higher", _psnr),
        )
    },
    describe=_describe,
    network=_network,
    cost=_cost,
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)  # fmt: skip
