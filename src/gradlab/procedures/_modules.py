"""A user's own modules: what makes them afresh for a seed, and the digest by which specs know them."""

from __future__ import annotations

import copy
import hashlib
import inspect
import re
from collections.abc import Callable, Sequence
from types import CodeType

import torch
from torch import Tensor, nn

from gradlab.models.initialise import reinitialise
from gradlab.procedures.sources import Given
from gradlab.procedures.train import Custom
from gradlab.training.modes import kept_modes
from gradlab.types import UserError, derive_seed

Factory = Callable[[int], nn.Module]
IMAGES = 4
"""Of the fixed batch on which outputs are compared."""


def as_factory(name: str, network: object) -> Factory:
    """Return what makes a user's network afresh for every seed: a module is copied and drawn anew.

    Raises:
        UserError: neither a module nor a function seed -> module, or a module that cannot be drawn anew.
    """
    if isinstance(network, nn.Module):

        def draw(seed: int) -> nn.Module:
            module = copy.deepcopy(network)
            reinitialise(module, seed)
            return module

        return draw
    if isinstance(network, type):
        raise UserError(f"'{name}' is a class; pass a module, such as {network.__name__}(), or a function.")
    if not callable(network):
        raise UserError(
            f"'{name}' must be a torch.nn.Module, a function seed -> module or a gradlab.models.MLP, "
            f"got {type(network).__name__}."
        )
    return network


def describe_factory(name: str, factory: Factory, input_shape: Sequence[int]) -> Custom:
    """Return how a spec knows a user's module: its printed form, its code, its weights and its outputs.

    The outputs on fixed images, in training and in evaluation mode, at two seeds, stand for all that the module's
    code calls; their bits differ between kinds of processors, so that another processor is another record.

    Raises:
        UserError: the factory returns no module, or other weights each time for one seed.
    """
    digests = []
    for seed in (0, 1):
        first, second = (_fingerprint(name, factory(seed), input_shape) for _ in range(2))
        if first != second:
            raise UserError(
                f"'{name}' starts from other weights each time for one seed; draw them from the seed alone, "
                "for example with gradlab.models.reinitialise(module, seed)."
            )
        digests.append(first)
    return Custom(name=name, digest=hashlib.sha256("".join(digests).encode()).hexdigest()[:20])


def describe_given(name: str, module: object, input_shape: Sequence[int]) -> Given:
    """Return how a spec knows a user's trained network: all of its state, its code and its outputs.

    Raises:
        UserError: it is no module.
    """
    if not isinstance(module, nn.Module):
        raise UserError(
            f"'{name}' must be a trained torch.nn.Module, the folder of a model, a record or Pretrained(...), "
            f"got {type(module).__name__}."
        )
    return Given(name=name, digest=_fingerprint(name, module, input_shape)[:20])


def _fingerprint(name: str, module: nn.Module, input_shape: Sequence[int]) -> str:
    if not isinstance(module, nn.Module):
        raise UserError(f"'{name}' must give a torch.nn.Module for a seed, got {type(module).__name__}.")
    found = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", repr(module)).encode())
    for kind in sorted({type(layer) for layer in module.modules()}, key=lambda kind: kind.__qualname__):
        if not kind.__module__.startswith("torch."):
            found.update(_code(kind).encode())
    for key, value in module.state_dict().items():
        found.update(key.encode() + _bits(value))
    for training in (False, True):
        found.update(_outputs(module, input_shape, training=training))
    return found.hexdigest()


def _bits(value: Tensor) -> bytes:
    return value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def _outputs(module: nn.Module, input_shape: Sequence[int], *, training: bool) -> bytes:
    """Bits of the module's outputs on fixed images; what it raises stands for them where it cannot read these."""
    like = next((one for one in module.parameters() if one.is_floating_point()), torch.empty(0))
    stream = torch.Generator().manual_seed(derive_seed(0, "fingerprint"))
    images = torch.rand(IMAGES, *input_shape, generator=stream).to(device=like.device, dtype=like.dtype)
    trial = copy.deepcopy(module)
    with kept_modes(trial), torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.random.manual_seed(0)  # allowed: forked, for dropout
        trial.train(training)
        try:
            found = trial(images)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            return type(error).__name__.encode()  # what cannot be read is said when it trains
    return _bits(found) if isinstance(found, Tensor) else b""


def _code(kind: type) -> str:
    """Return the source of a class; of one that was typed at a prompt, its compiled methods."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        methods = {name: value.__code__ for name, value in vars(kind).items() if inspect.isfunction(value)}
        return str(
            [(name, code.co_code.hex(), code.co_names, _constants(code)) for name, code in methods.items()]
        )


def _constants(code: CodeType) -> list[str]:
    """Constants of a function, without the addresses of the functions inside it."""
    return [one.co_code.hex() if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
