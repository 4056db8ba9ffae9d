"""What a run does: build, probe, fit, probe, predict; several seeds of one arm at once where that is exact."""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from gradlab import __version__
from gradlab.data import Dataset
from gradlab.lab.gallery import most_confident_errors
from gradlab.lab.record import Columns, Outcome, usable_logits, write_record
from gradlab.lab.spec import RunSpec, torch_version
from gradlab.metrics import evaluate
from gradlab.models.mlp import MLP
from gradlab.training.checks import check_model, training_parts
from gradlab.training.device import DTYPES, resolve_device
from gradlab.training.fit import Epoch, Fit, fit_stacked
from gradlab.training.predict import predict_logits
from gradlab.training.probe import LayerGradient, gradient_norms
from gradlab.training.probe_row import probe_columns
from gradlab.types import UserError

CHECKPOINT_SECONDS = 5.0


def train_block(
    specs: Sequence[RunSpec],
    data: Dataset,
    *,
    records: Path,
    checkpoint: Path,
    commit: str | None,
    models: Sequence[nn.Module] | None = None,
    device: str | None = None,
    on_epoch: Callable[[Epoch], Any] = lambda _epoch: None,
) -> None:
    """Train the runs of one block and write their records.

    Args:
        specs: one arm, one spec a seed. data: the data set that the specs name. records: folder of all records.
        checkpoint: file from which a killed block goes on. commit: of the code, for the provenance.
        models: initial networks, one a seed, if the arm is a user's own module.
        device: which of several of the kind that the specs name, such as "cuda:1". on_epoch: hears every epoch.
    """
    spec = specs[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(spec.threads)
    try:
        place = resolve_device(device or spec.device)
        if data.test is None:
            raise UserError(
                f"'{data.name}' has no test images here, so its runs cannot be judged; choose data with a test part."
            )
        networks = models or [_build(one, data) for one in specs]
        networks = [network.to(device=place, dtype=DTYPES[spec.precision]) for network in networks]
        local = data.to(place)
        train, validation = training_parts(local, None, spec.recipe)
        check_model(networks[0], train, validation, local.num_classes)
        before = [_probe(network, local, spec) for network in networks]
        fits = fit_stacked(
            networks,
            local,
            spec.recipe,
            seeds=[one.seed for one in specs],
            device=str(place),
            precision=spec.precision,
            train_images=spec.train_images,
            probe_steps=spec.probe_steps,
            probe_batch=spec.probe_batch,
            checkpoint=checkpoint,
            checkpoint_seconds=CHECKPOINT_SECONDS,
            listeners=[on_epoch],
            progress=False,
        )
        for one, fit, start in zip(specs, fits, before, strict=True):
            end = _probe(fit.model, local, spec)
            write_record(records, one, _outcome(one, fit, local, start, end, commit))
        checkpoint.unlink(missing_ok=True)
    finally:
        torch.set_num_threads(threads)


def _probe(network: nn.Module, data: Dataset, spec: RunSpec) -> list[LayerGradient]:
    """Measure the gradient norms; none of a user's module whose parameters are in no layer's weight."""
    weights = [getattr(layer, "weight", None) for layer in network.modules()]
    if not any(isinstance(weight, nn.Parameter) and weight.requires_grad for weight in weights):
        return []
    return gradient_norms(network, data, batch_size=spec.probe_batch)


def _build(spec: RunSpec, data: Dataset) -> nn.Module:
    if not isinstance(spec.model, MLP):
        raise UserError(
            f"a user's own module '{spec.model.name}' trains in the process that holds it; pass it to gradlab.run."
        )
    return spec.model.build(
        tuple(data.input_shape), data.num_classes, seed=spec.seed, mean=tuple(data.mean), std=tuple(data.std)
    )


def _outcome(
    spec: RunSpec,
    fit: Fit,
    data: Dataset,
    start: list[LayerGradient],
    end: list[LayerGradient],
    commit: str | None,
) -> Outcome:
    assert data.test is not None  # checked above
    begun = time.perf_counter()
    logits = predict_logits(fit.model, data.test, precision=spec.precision).float().cpu().numpy()
    state = {name: value.detach().cpu().contiguous() for name, value in fit.model.state_dict().items()}
    labels = data.test.labels.cpu().numpy()
    usable = usable_logits(logits)
    facts = {
        "status": fit.status,
        "note": fit.note,
        "best_epoch": fit.best_epoch,
        "epochs": fit.epochs,
        "max_epochs": spec.recipe.epochs,
        "parameters": sum(p.numel() for p in fit.model.parameters() if p.requires_grad),
        "input_shape": list(data.input_shape),
        "class_names": list(data.class_names),
        "mean": list(data.mean),
        "std": list(data.std),
        "provenance": provenance(commit),
        "test": {name: float(value) for name, value in evaluate(usable, labels).items()},
        "cost": {
            "seconds": fit.seconds + time.perf_counter() - begun,
            "peak_memory_mb": peak_memory_mb(spec.device),
        },
    }
    outputs: Columns = {
        "label": labels.astype(np.int16),
        "prediction": usable.argmax(1).astype(np.int16),
    } | {f"logit_{k}": logits[:, k] for k in range(logits.shape[1])}
    errors = most_confident_errors(usable, data.test)
    probes = probe_columns(fit.probes) if spec.probe_steps else None
    return Outcome(facts, _epochs(fit), _gradients(start, end), outputs, errors, save(state), probes)


def _epochs(fit: Fit) -> Columns:
    names = list(fit.history[0]) if fit.history else ["epoch"]
    return {
        name: np.array([row[name] for row in fit.history], dtype=np.int32 if name == "epoch" else np.float64)
        for name in names
    }


def _gradients(start: list[LayerGradient], end: list[LayerGradient]) -> Columns:
    rows = [
        (when, layer.layer, layer.index, kind, norm)
        for when, layers in (("start", start), ("end", end))
        for layer in layers
        for kind, norm in (("weight", layer.weight), ("bias", layer.bias))
        if norm is not None
    ]
    when, layer, index, kind, norm = zip(*rows, strict=True) if rows else ((),) * 5
    return {
        "time": np.array(when, dtype=str),
        "layer": np.array(layer, dtype=str),
        "index": np.array(index, dtype=np.int32),
        "kind": np.array(kind, dtype=str),
        "norm": np.array(norm, dtype=np.float64),
    }


def provenance(commit: str | None) -> dict[str, Any]:
    """Return versions, hardware and date of this process; no host name, user or path."""
    return {
        "gradlab": __version__,
        "python": platform.python_version(),
        "torch": torch_version(),
        "commit": commit,
        "processor": processor_name(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def processor_name() -> str:
    """Return the processor's model name where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def peak_memory_mb(device: str) -> float:
    """Return the peak memory of this process in MB: on the GPU if it runs there, else resident."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
