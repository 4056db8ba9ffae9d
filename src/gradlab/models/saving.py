"""Trained networks on disk: a folder with safetensors and a small JSON, which plain PyTorch can run as well."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as tensor_bytes
from torch import Tensor, nn

from gradlab._files import read_regular, write_whole
from gradlab.models.cnn import CNN
from gradlab.models.cnn_network import CNNNetwork
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.fast_cnn_network import FastCNNNetwork
from gradlab.models.mlp import MLP
from gradlab.models.mlp_network import MLPNetwork
from gradlab.models.registry import Model, kind_of
from gradlab.models.saved import CHECKSUM, FACTS, FORMAT, WEIGHTS, checksum_of, read_facts, refuse_no_place
from gradlab.models.steps import steps_of
from gradlab.models.vit import ViT
from gradlab.models.vit_network import ViTNetwork
from gradlab.types import UserError

Network = MLPNetwork | CNNNetwork | ViTNetwork | FastCNNNetwork
"""What the builders build."""


def save(
    model: nn.Module,
    folder: str | Path,
    *,
    class_names: Sequence[str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Write a network that a configuration built as a model folder: model.safetensors and model.json, each whole or not at all.

    Args:
        model: an `MLPNetwork`, `CNNNetwork`, `ViTNetwork` or `FastCNNNetwork`; its weights and buffers are written as they are.
        folder: made where it is not there; a model that lies in it already is replaced, anything else is refused.
        class_names: of the K outputs, in their order; their numbers where not given.
        facts: more that model.json should say, plain JSON data, such as recipe and metrics.

    Returns: the folder.

    Raises:
        UserError: not a network of the builder, a wrong number of names, or a folder that holds something else.
    """
    place = Path(folder)
    described = describe(model, class_names)
    refuse_other_content(place)
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    content = tensor_bytes(state)
    whole = {
        "format": FORMAT,
        **described,
        **(facts or {}),
        "versions": {"gradlab": version("gradlab"), "torch": version("torch").split("+")[0]},
        "weights_checksum": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    whole[CHECKSUM] = checksum_of(json.loads(json.dumps(whole)))  # as it will be read
    text = json.dumps(whole, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    place.mkdir(parents=True, exist_ok=True)
    write_whole(place / WEIGHTS, content)
    write_whole(place / FACTS, text.encode())
    return place


def load(folder: str | Path) -> Network:
    """Load a model folder: the network on the CPU, in eval mode, from images (N, C, H, W) in [0, 1] to logits (N, K).

    Raises:
        UserError: no model there, a damaged file, or weights that do not belong to its model.json.
    """
    facts = read_facts(Path(folder))
    path = Path(folder) / WEIGHTS
    weights = read_weights(path)
    if facts.get("weights_checksum") != f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}":
        raise UserError(
            f"{path} is not the file that {FACTS} beside it was written with; restore both, or train again."
        )
    return rebuild(facts, weights, Path(folder))


def describe(model: nn.Module, class_names: Sequence[str] | None) -> dict[str, Any]:
    """Return what model.json says about the network itself."""
    if not isinstance(model, Network):
        raise UserError(
            f"save writes networks that gradlab.models.MLP, CNN, ViT and FastCNN build, got {type(model).__name__}; "
            "gradlab.use.export_model writes any module to torch-export or onnx."
        )
    classes = model.classes
    names = list(class_names) if class_names is not None else [str(number) for number in range(classes)]
    if len(names) != classes:
        raise UserError(
            f"the network has {classes} outputs, but {len(names)} class names were given; give one per output."
        )
    scale, shift = (value.double().flatten() for value in (model.normalise.scale, model.normalise.shift))
    return {
        "model": {"kind": kind_of(model.config), **asdict(model.config)},
        "input_shape": list(model.input_shape),
        "class_names": names,
        "mean": (-shift / scale).tolist(),
        "std": (1 / scale).tolist(),
        "steps": steps_of(model),
    }


def rebuild(facts: Mapping[str, Any], weights: Mapping[str, Tensor], origin: Path) -> Network:
    """Build the network that `facts` describe and give it `weights`.

    Raises:
        UserError: the description is none, or the weights belong to another network.
    """
    try:
        config: MLP | CNN | ViT | FastCNN = TypeAdapter(Model).validate_python(facts["model"])
        shape = tuple(int(size) for size in facts["input_shape"])
        if config.parameter_count(shape, len(facts["class_names"])) > sum(
            map(Tensor.numel, weights.values())
        ):
            raise UserError(
                f"{origin} holds fewer weights than its {FACTS} describes; give those that belong to it."
            )
        network = config.build(
            shape,
            len(facts["class_names"]),
            seed=0,
            mean=tuple(facts["mean"]),
            std=tuple(facts["std"]),
        )
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"{origin / FACTS} does not describe a network of this version of gradlab; train it again."
        ) from error
    dtypes = {value.dtype for value in weights.values() if value.is_floating_point()}
    if len(dtypes) == 1:
        network.to(next(iter(dtypes)))
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        first = wrong[0]
        raise UserError(
            f"{origin} holds weights of another network: '{first}' should be {_said(expected.get(first))} and is "
            f"{_said(found.get(first))} ({len(wrong)} such); give the weights that belong to its {FACTS}."
        )
    network.load_state_dict(dict(weights))
    return network.eval()


def _said(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "absent"
    return f"of shape {shape}" if shape else "a single number"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        UserError: it is missing, damaged, or of another kind.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); give a model folder that is whole."
        ) from error
    try:
        return read_tensors(content)
    except (SafetensorError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is damaged or no safetensors file; restore it, or train again.") from error


def refuse_other_content(folder: Path) -> None:
    """Raise UserError where `folder` is a file, or holds anything but a model and what its training leaves there."""
    refuse_no_place(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give the name of a folder for the model.")
    known = (WEIGHTS, FACTS, f".{WEIGHTS}.", f".{FACTS}.", "training.")
    others = (
        sorted(one.name for one in folder.iterdir() if not one.name.startswith(known))
        if folder.exists()
        else []
    )
    if others:
        raise UserError(f"{folder} holds something else ({others[0]}); give a new folder for the model.")
