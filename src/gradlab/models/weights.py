"""Weights of others for a network that is built: read from safetensors, checked key by key, then loaded whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from torch import Tensor, nn

from gradlab.models.normalise import Normalise
from gradlab.models.wrap import Wrapped
from gradlab.types import UserError

ModuleT = TypeVar("ModuleT", bound=nn.Module)
PICKLES = (b"PK\x03\x04", b"\x80")
"""First bytes of what `torch.save` and `pickle` write."""


def load_weights(model: ModuleT, path: str | Path) -> ModuleT:
    """Load the weights of a safetensors file into a network, in place; returns the network.

    The keys and shapes must be those of the network. `num_batches_tracked` may be absent, and so may the normalisation,
    which the network keeps then. Numbers are converted to the network's type. Where anything does not fit, nothing is
    loaded. Pickle files are refused, since reading one can run code.

    Args:
        model: any module; of one that was wrapped, the module inside.
        path: of the safetensors file.

    Raises:
        UserError: no such file, no safetensors, or weights of another network; names every key that does not fit.
    """
    if not isinstance(model, nn.Module):
        raise UserError(
            f"load_weights fills a torch.nn.Module, got {type(model).__name__}; build the network first."
        )
    put_weights(model, read_safetensors(Path(path)), str(path))
    return model


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        UserError: it is missing, damaged, or of another kind.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); give the path of a .safetensors file."
        ) from error
    if content.startswith(PICKLES) and content[8:9] != b"{":  # where the header of safetensors begins
        raise UserError(
            f"{path} is a pickle file, which can run code when it is read, and only safetensors are read; convert it once "
            "with safetensors.torch.save_file(torch.load(path, weights_only=True), 'weights.safetensors')."
        )
    try:
        return read_tensors(content)
    except (SafetensorError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is damaged or no safetensors file; get it again.") from error


def put_weights(model: nn.Module, weights: Mapping[str, Tensor], origin: str) -> None:
    """Check weights against a network and load them, all or none.

    Args:
        model: as of `load_weights`. weights: by key. origin: where they come from, for the sentence about what is wrong.

    Raises:
        UserError: a key that is missing, not known, or of another shape or type; names all of them.
    """
    target = model.module if isinstance(model, Wrapped) else model
    state = target.state_dict()
    kept = {
        f"{name}.{key}".lstrip(".")
        for name, layer in target.named_modules()
        if isinstance(layer, Normalise)
        for key in ("scale", "shift")
    }
    misfit = Misfit(
        missing=[
            key
            for key in state
            if key not in weights and key not in kept and not key.endswith("num_batches_tracked")
        ],
        unknown=[key for key in weights if key not in state],
        wrong=[key for key, value in state.items() if key in weights and not _alike(value, weights[key])],
    )
    if misfit.missing or misfit.unknown or misfit.wrong:
        raise UserError(_sentence(misfit, state, weights, origin))
    target.load_state_dict({**state, **weights})


@dataclass(frozen=True)
class Misfit:
    """Keys that weights lack, keys that the network lacks, and keys of another shape or type."""

    missing: list[str]
    unknown: list[str]
    wrong: list[str]


def _alike(value: Tensor, own: Tensor) -> bool:
    return value.shape == own.shape and value.is_floating_point() == own.is_floating_point()


def _sentence(misfit: Misfit, state: Mapping[str, Tensor], weights: Mapping[str, Tensor], origin: str) -> str:
    what, remedy = _diagnosis(misfit, state, weights)
    parts = []
    if misfit.missing:
        parts.append(f"it lacks {_listed(misfit.missing)}")
    if misfit.unknown:
        parts.append(f"it holds {_listed(misfit.unknown)}, which the network does not have")
    for key in misfit.wrong:
        should, found = (_said(one[key], weights[key], state[key]) for one in (state, weights))
        parts.append(f"'{key}' is {found} and should be {should}")
    return f"{origin} {what}: {', '.join(parts)}; {remedy}."


def _diagnosis(misfit: Misfit, state: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> tuple[str, str]:
    """Say what is wrong as a whole, and what to do."""
    other = (
        "holds weights of another network",
        "build the network that they belong to, or get its own weights",
    )
    if misfit.missing or misfit.unknown:
        return other
    matrices = [key for key, value in state.items() if value.dim() in (2, 4)]
    linear = next((key for key in matrices if state[key].dim() == 2), None)
    wrong = {key: (tuple(weights[key].shape), tuple(state[key].shape)) for key in misfit.wrong}
    last = matrices[-1] if matrices else None
    if last in wrong and wrong.keys() <= {last, last.removesuffix("weight") + "bias"}:
        found, own = wrong[last]
        if found[1:] == own[1:]:
            return (
                f"holds weights for {found[0]} classes, and this network has {own[0]}",
                f"build it for {found[0]} classes",
            )
    if len(wrong) == 1 and matrices:
        ((key, (found, own)),) = wrong.items()
        if key == matrices[0] and len(found) == 4 and found[2:] == own[2:] and found[0] == own[0]:
            return (
                f"belongs to images with another number of channels, {found[1]} where this network reads {own[1]}",
                "build the network for those images",
            )
        if key == linear and found[:1] == own[:1]:
            return "belongs to images of another size", "build the network for that size"
    return other


def _listed(keys: list[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


def _said(value: Tensor, one: Tensor, other: Tensor) -> str:
    """The shape, or the type where only that differs."""
    return str(tuple(value.shape)) if one.shape != other.shape else str(value.dtype)
