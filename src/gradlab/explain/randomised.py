"""The check with randomised weights (Adebayo et al., 2018): a map that stays the same says nothing about the network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from gradlab._torch import torch
from gradlab.explain.compare_maps import rank_correlation
from gradlab.types import UserError, derive_seed


@contextlib.contextmanager
def restored(model: torch.nn.Module) -> Iterator[None]:
    """Give the model all of its parameters and buffers back after the block, bit for bit."""
    kept = {name: value.detach().clone() for name, value in model.state_dict().items()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in model.state_dict().items():
                value.copy_(kept[name])


def randomise(model: torch.nn.Module, seed: int, names: list[str] | None = None) -> None:
    """Draw the weights of layers anew, in place, each from a stream of its own name.

    A layer that knows `reset_parameters` starts as PyTorch starts it; parameters of any other are drawn from a normal
    distribution with the mean and deviation that they have.

    Args:
        names: of the layers; all that hold parameters where they are left out.
    """
    from gradlab.models._randomness import seeded

    layers = dict(model.named_modules())
    with torch.no_grad():
        for name in layers_with_weights(model) if names is None else names:
            own = list(layers[name].parameters(recurse=False))
            with seeded(derive_seed(seed, "randomise", name), own[0].device):
                reset = getattr(layers[name], "reset_parameters", None)
                if callable(reset):
                    reset()
                    continue
                for value in own:
                    spread = float(value.double().std(correction=0))
                    value.copy_(torch.randn_like(value) * spread + value.mean())


def layers_with_weights(model: torch.nn.Module) -> list[str]:
    """Return the names of the layers that hold parameters themselves, in the order of registration."""
    return [
        name for name, layer in model.named_modules() if any(True for _ in layer.parameters(recurse=False))
    ]


def cascade(
    model: torch.nn.Module,
    explain: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    *,
    seed: int = 0,
    stages: int = 4,
) -> tuple[list[float], torch.Tensor]:
    """Randomise the network from its last layer to its first, and compare maps on the way with those before.

    Args:
        model: of which `explain` explains the images; its weights are changed meanwhile and then given back.
        explain: images (N, C, H, W) -> maps (N, H, W). seed: of the fresh weights. stages: moments on the way, at least 1.

    Returns: the share of layers that is randomised at each moment, ascending, the last 1; and rank correlations
        (stages, N) float64 between the maps before and at that moment.

    Raises:
        UserError: a model without weights, or no stage.
    """
    names = layers_with_weights(model)
    if not names or stages < 1:
        raise UserError(
            f"the check with randomised weights needs a model with parameters and at least one stage, got {len(names)} layers "
            f"with parameters and {stages} stages."
        )
    before = explain(images)
    ends = sorted({-(-len(names) * (stage + 1) // stages) for stage in range(stages)})
    found, done = [], 0
    with restored(model):
        for end in ends:
            randomise(model, seed, names[::-1][done:end])
            done = end
            found.append(rank_correlation(before, explain(images)))
    return [end / len(names) for end in ends], torch.stack(found)
