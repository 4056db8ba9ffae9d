"""The check with randomised weights (Adebayo et al., 2018): a map that stays the same says nothing about the network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from gradlab._torch import torch
from gradlab.explain.compare_maps import is_empty, rank_correlation
from gradlab.types import UserError, derive_seed

LEAST = 0.1
"""Share of the pixels of an image that must say something about the weights, for it to count."""


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
    distribution with the mean and deviation that they have, and so are those from which `torch.nn.utils.weight_norm`,
    `spectral_norm` or `prune` compute a weight before every pass.

    Args:
        names: of the layers; all that hold parameters where they are left out.
    """
    from gradlab.models._randomness import seeded

    layers = dict(model.named_modules())
    with torch.no_grad():
        for name in layers_with_weights(model) if names is None else names:
            own = dict(layers[name].named_parameters(recurse=False))
            with seeded(derive_seed(seed, "randomise", name), next(iter(own.values())).device):
                reset = getattr(layers[name], "reset_parameters", None)
                if callable(reset):
                    reset()
                    computed = [
                        key for key, value in vars(layers[name]).items() if isinstance(value, torch.Tensor)
                    ]
                    own = {
                        key: value
                        for key, value in own.items()
                        if any(key.startswith(f"{one}_") for one in computed)
                    }
                for value in own.values():
                    spread = float(value.double().std(correction=0))
                    value.copy_(torch.randn_like(value) * spread + value.mean())


def layers_with_weights(model: torch.nn.Module) -> list[str]:
    """Return the names of the layers that hold parameters themselves, in the order of registration."""
    return [
        name for name, layer in model.named_modules() if any(True for _ in layer.parameters(recurse=False))
    ]


def similarity(maps: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
    """Compare maps with those of networks whose weights were drawn, by rank correlation over pixels that can tell.

    Where a method multiplies by the image, as integrated gradients do by its difference from the baseline, pixels equal to
    the baseline are 0 whatever the weights are, and such ties make any two maps look alike (Adebayo et al., 2018, sec. 5.1
    and appendix B, discuss it for gradient times input). So a pixel counts in the comparison with one draw only if the map,
    or that of another draw, is not 0 there. The draw itself has no say in which pixels count, so that two maps that have
    nothing to do with each other have a correlation of 0 on average.

    Args:
        maps: (N, H, W) of the network. drawn: (D, N, H, W), D at least 1, of D draws of its weights; with one draw alone only
            pixels count at which the map itself is not 0.

    Returns: (D, N) float64 in [-1, 1], 1 where the maps are equal; NaN where nothing can be said: one of the two is the same
        at all pixels, or fewer than a tenth of the pixels count.
    """
    found = []
    for number, other in enumerate(drawn):
        rest = torch.cat([maps[None], drawn[:number], drawn[number + 1 :]])
        counts = (rest != 0).any(0)
        first = torch.where(counts, maps, torch.nan)
        is_flat = first.nan_to_num(-torch.inf).amax((1, 2)) <= first.nan_to_num(torch.inf).amin((1, 2))
        silent = is_flat | (counts.double().mean((1, 2)) < LEAST)
        one = torch.where(silent, torch.nan, rank_correlation(maps, other, counts))
        one = torch.where((maps == other).all(2).all(1), 1.0, one)
        found.append(torch.where(is_empty(maps) | is_empty(other), torch.nan, one))
    return torch.stack(found)


def cascade(
    model: torch.nn.Module,
    explain: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    *,
    seed: int = 0,
    stages: int = 4,
    draws: int = 1,
) -> tuple[list[float], torch.Tensor]:
    """Randomise the network from its last layer to its first, and compare maps on the way with those before.

    Args:
        model: of which `explain` explains the images; its weights are changed meanwhile and then given back.
        explain: images (N, C, H, W) -> maps (N, H, W). seed: of the fresh weights. stages: moments on the way, at least 1.
        draws: of the weights, at least 1.

    Returns: the share of layers that is randomised at each moment, ascending, the last 1; and rank correlations
        (stages, draws, N) float64 between the maps before and at that moment, as `similarity` compares them.

    Raises:
        UserError: a model without weights, or no stage or draw.
    """
    names = layers_with_weights(model)
    if not names or stages < 1 or draws < 1:
        raise UserError(
            "the check with randomised weights needs a model with parameters, at least one stage and at least one draw, got "
            f"{len(names)} layers with parameters, {stages} stages and {draws} draws."
        )
    before = explain(images)
    ends = sorted({-(-len(names) * (stage + 1) // stages) for stage in range(stages)})
    found = []
    for end in ends:
        drawn = []
        for number in range(draws):
            with restored(model):
                randomise(model, seed + number, names[::-1][:end])
                drawn.append(explain(images))
        found.append(similarity(before, torch.stack(drawn)))
    return [end / len(names) for end in ends], torch.stack(found)
