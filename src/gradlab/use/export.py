"""A trained network as files that other programs read, each checked against the network before it is kept."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from gradlab._files import sync_file, sync_folder, sync_tree
from gradlab.models.saved import refuse_no_place
from gradlab.models.saving import read_weights, save
from gradlab.training.modes import kept_modes
from gradlab.types import UserError, did_you_mean
from gradlab.use.trained import Trained

ExportFormat = Literal["safetensors", "onnx", "torch-export"]
SUFFIXES: dict[ExportFormat, str] = {"safetensors": "", "onnx": ".onnx", "torch-export": ".pt2"}
BATCHES = (1, 2, 7, 64)
"""Numbers of images on which a file must agree with the network: none of them is what it was made with."""
TOLERANCE = 1e-4
"""Largest difference of logits from those of another runtime, as a share of the largest logit of the image."""


@dataclass(frozen=True)
class Exported:
    """A file, or folder, that was written.

    Attributes:
        path: of it. format: what it is. difference: largest found, as a share of the largest logit; 0 is bit-equal.
        images: on how many random images the two were compared. checked_with: what ran the file.
    """

    path: Path
    format: ExportFormat
    difference: float
    images: int
    checked_with: str

    def describe(self) -> str:
        """Say it in one sentence."""
        same = "bit-equal to" if self.difference == 0 else f"within {self.difference:.0e} (relative) of"
        batches = ", ".join(map(str, BATCHES))
        return (
            f"{self.path}: logits {same} the network's on {self.images} random images in batches of {batches} "
            f"({self.checked_with})"
        )


def export(trained: Trained, to: ExportFormat, out: str | Path) -> Exported:
    """Write a trained network with its facts; arguments and errors as for `export_model`."""
    return export_model(
        trained.network,
        to,
        out,
        input_shape=trained.input_shape,
        class_names=trained.class_names,
        facts={name: value for name, value in trained.facts.items() if name not in OWN_FACTS},
    )


OWN_FACTS = (
    "format",
    "model",
    "input_shape",
    "class_names",
    "mean",
    "std",
    "steps",
    "versions",
    "weights_checksum",
    "facts_checksum",
)
"""What a model.json says about the network itself."""


def export_model(
    model: nn.Module,
    to: ExportFormat,
    out: str | Path,
    *,
    input_shape: Sequence[int],
    class_names: Sequence[str],
    facts: Mapping[str, Any] | None = None,
) -> Exported:
    """Write a network in another form, with a batch of any size, and compare the two on random images.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); left as it was.
        to: "safetensors" (a folder with a small JSON; networks of `MLP` alone), "torch-export" (a .pt2 file) or
            "onnx" (needs the extra "onnx").
        out: path of what is written; the suffix is added where it lacks. Nothing there is overwritten.
        input_shape: (C, H, W). class_names: of the K outputs. facts: more to say in the JSON.

    Raises:
        UserError: something is there, a package lacks, the model cannot be written so, or the file disagrees.
    """
    if to not in get_args(ExportFormat):
        raise UserError(f"unknown format '{to}'; {did_you_mean(str(to), get_args(ExportFormat))}")
    path = Path(out)
    path = path if path.suffix == SUFFIXES[to] else path.with_name(path.name + SUFFIXES[to])
    if path.is_symlink() or path.exists():
        raise UserError(f"{path} already exists; give --out another name, or delete it first.")
    refuse_no_place(path)
    known = {"input_shape": list(input_shape), "class_names": list(class_names), **(facts or {})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder, kept_modes(model):
            model.eval()
            made = Path(folder) / path.name
            run, checked_with = WRITERS[to](model, made, known)
            difference = _compare(model, run, tuple(input_shape), exact=to != "onnx")
            (sync_tree if made.is_dir() else sync_file)(made)
            os.rename(made, path)
            sync_folder(path.parent)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}); give another path."
        ) from error
    return Exported(path, to, difference, sum(BATCHES), checked_with)


Run = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) to logits (N, K), by the file that was written."""


def _safetensors(model: nn.Module, path: Path, facts: dict[str, Any]) -> tuple[Run, str]:
    more = {name: value for name, value in facts.items() if name not in OWN_FACTS}
    save(model, path, class_names=facts["class_names"], facts=more)
    weights = read_weights(path / "model.safetensors")
    steps = json.loads((path / "model.json").read_bytes())["steps"]

    def run(images: Tensor) -> Tensor:
        values = {name: value.clone() for name, value in weights.items()} | {"images": images}
        for name, operation, arguments in steps:
            given = (values[one] if isinstance(one, str) else one for one in arguments)
            values[name] = getattr(torch.ops.aten, operation)(*given)
        return values["logits"]

    return run, "its own steps in plain PyTorch"


def _torch_export(model: nn.Module, path: Path, facts: dict[str, Any]) -> tuple[Run, str]:
    with _quiet(), torch.no_grad():
        program = _program(model, facts["input_shape"])
        for part in program.graph_module.modules():
            for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
                node.meta.pop("stack_trace", None)  # it names files of this machine
        torch.export.save(program, path, extra_files={"facts.json": json.dumps(facts, ensure_ascii=False)})
        loaded = torch.export.load(path).module()
    return loaded, "torch.export.load"


def _onnx(model: nn.Module, path: Path, facts: dict[str, Any]) -> tuple[Run, str]:
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise UserError(
            f"--to onnx needs {' and '.join(missing)}, not installed: pip install 'gradlab[onnx]'"
        )
    with _quiet(), torch.no_grad():
        try:
            program = torch.onnx.export(
                _program(model, facts["input_shape"]),
                input_names=["images"],
                output_names=["logits"],
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise UserError(f"the model cannot be written as onnx: {_first_line(error)}") from error
        assert program is not None  # it was not told to write a file itself
        for name in ("input_shape", "class_names"):
            program.model.metadata_props[f"gradlab.{name}"] = json.dumps(facts[name], ensure_ascii=False)
        for node in program.model.graph:
            node.metadata_props.clear()  # it names files of this machine
        program.save(path)
    return _onnx_runner(path)


def _onnx_runner(path: Path) -> tuple[Run, str]:
    if find_spec("onnxruntime") is not None:
        runtime: Any = import_module("onnxruntime")
        try:
            session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except _faults(import_module("onnxruntime.capi.onnxruntime_pybind11_state")) as error:
            raise UserError(
                f"onnxruntime cannot run the network as onnx ({_first_line(error)}), so nothing can be compared and "
                "nothing was kept; export it as torch-export or safetensors, or train it in fp32."
            ) from error
        return lambda images: torch.from_numpy(
            session.run(None, {"images": images.numpy()})[0]
        ), "onnxruntime"
    reference: Any = import_module("onnx.reference").ReferenceEvaluator(str(path))
    return lambda images: torch.from_numpy(
        np.array(reference.run(None, {"images": images.numpy()})[0])
    ), "onnx"


def _faults(module: ModuleType) -> tuple[type[Exception], ...]:
    """The exceptions of onnxruntime, which share no class of their own."""
    return tuple(one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Exception))


WRITERS: dict[ExportFormat, Callable[[nn.Module, Path, dict[str, Any]], tuple[Run, str]]] = {
    "safetensors": _safetensors,
    "onnx": _onnx,
    "torch-export": _torch_export,
}
"""Each writes a file and returns what runs it, and that in words."""


def _program(model: nn.Module, input_shape: Sequence[int]) -> torch.export.ExportedProgram:
    """Trace the forward pass for a batch of any size.

    Raises:
        UserError: PyTorch cannot trace the model, or only for one batch size.
    """
    images = torch.rand(3, *input_shape, generator=torch.Generator().manual_seed(0)).to(_like(model))
    try:
        return torch.export.export(model, (images,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"PyTorch cannot trace the model for batches of any size ({_first_line(error)}); "
            "branches on values of tensors and fixed batch sizes are the usual reasons."
        ) from error


def _like(model: nn.Module) -> Tensor:
    """A tensor on the model's device and in its number format."""
    return next((one for one in model.parameters() if one.is_floating_point()), torch.empty(0))


@torch.no_grad()
def _compare(model: nn.Module, run: Run, input_shape: tuple[int, ...], *, exact: bool) -> float:
    """Return the largest relative difference of logits; refuse a file that disagrees."""
    generator = torch.Generator().manual_seed(1)
    largest = 0.0
    for count in BATCHES:
        images = torch.rand(count, *input_shape, generator=generator).to(_like(model))
        ours, theirs = model(images), run(images)
        if not torch.isfinite(ours).all():
            raise UserError(
                "the network's logits are not finite, so nothing can be compared; export another one."
            )
        if torch.equal(ours, theirs):
            continue
        scale = ours.abs().amax(1, keepdim=True).clamp_min(torch.finfo(ours.dtype).tiny)
        largest = max(largest, float(((ours - theirs) / scale).abs().max()))
    if largest > (0.0 if exact else TOLERANCE):
        raise UserError(
            f"the exported file gives other logits (difference {largest:.1e} of the largest); it was not kept."
        )
    return largest


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what PyTorch's exporters say about themselves; a failure is raised, not logged."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[
        :200
    ]
