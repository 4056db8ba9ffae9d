"""What a network shows before it is attacked: whether its gradients can lead an attack anywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType

from gradlab._torch import torch
from gradlab.attacks._asking import asked
from gradlab.attacks._checks import without_gradient
from gradlab.attacks.certificate import Reason

ZERO = 0.05
"""Share of images without a gradient from which on gradients are said to be missing."""
SPARSE = 0.5
"""Share of pixels without a gradient from which on something is said to stop it."""
TINY = 1e-4
"""A change of a pixel that no 8-bit image can show."""
Outcome = tuple[str, Reason | str | None]
"""Name of a check, and what it found; a text says why it was not asked."""


def preflight(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, eps: float, generator: torch.Generator
) -> Iterator[Outcome]:
    """Run the checks that need no attack: the flags of AutoAttack (Croce & Hein, 2020), and how far gradients can be trusted.

    Args:
        model: in eval mode. images: (N, C, H, W) in [0, 1]. labels: (N,).
        eps: change of a pixel; in L2 that of all pixels alike.
    """
    with torch.no_grad():
        logits = asked(model, images)
        repeats = [asked(model, images) for _ in range(4)]
    scale = 1 + float(logits.abs().max())
    yield "deterministic", _random(max(float((one - logits).abs().max()) for one in repeats) / scale)
    yield "no gradients inside", _adapts(model, images[:1])
    yield "logits", _probabilities(logits)
    yield "gradients", _gradients(model, images, labels, generator)
    yield "gradient predicts the output", _predicts(model, images, labels, eps)


def _random(difference: float) -> Reason | None:
    if difference <= 1e-4:
        return None
    return Reason(
        "deterministic",
        "invalid",
        "The same images give other outputs each time, so a gradient is one draw and success is luck.",
        "Switch the randomness off, or let forward() average the logits over many draws (expectation over transformation).",
    )


def _adapts(model: torch.nn.Module, images: torch.Tensor) -> Reason | None:
    """Find a forward() that computes gradients of its own, as a defence does that optimises at inference."""
    gradients = {torch.autograd.grad.__code__, torch.autograd.backward.__code__}
    seen: list[str] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in gradients:
            seen.append(frame.f_code.co_name)

    if sys.getprofile() is None:  # a profiler that runs is left alone
        sys.setprofile(watch)
        try:
            with torch.no_grad():
                asked(model, images)
        finally:
            sys.setprofile(None)
    if not seen:
        return None
    return Reason(
        "no gradients inside",
        "suspect",
        "The network computes gradients inside forward(), so it may optimise its input or itself for every image; standard "
        "attacks do not take that into account.",
        "Attack the network without that step as well, and with an attack that differentiates through it (Tramèr et al., 2020).",
    )


def _probabilities(logits: torch.Tensor) -> Reason | None:
    """Find outputs that are probabilities, or a multiple of them."""
    sums = logits.double().sum(1)
    constant = float(sums.std(unbiased=False)) <= 1e-3 * float(sums.mean().abs())
    if logits.shape[1] < 2 or bool((logits < 0).any()) or not constant:
        return None
    factor = float(sums.mean())
    what = "probabilities" if abs(factor - 1) < 1e-2 else f"probabilities times {factor:.3g}"
    return Reason(
        "logits",
        "suspect",
        f"The outputs look like {what}: none is negative, and every image's have the same sum.",
        "Return what comes before the softmax.",
    )


def _gradients(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
) -> Reason | None:
    by_margin = gradient_of(model, images, lambda logits: margins(logits, labels))
    if by_margin is None:
        return Reason(
            "gradients",
            "invalid",
            "The output is cut off from the images, so no gradient arrives there.",
            "Drop detach(), torch.no_grad(), comparisons and NumPy from forward(), or attack with a differentiable stand-in.",
        )
    blind = float(without_gradient(by_margin).double().mean())
    if blind >= ZERO:
        return _no_slope(model, images, blind, generator)
    by_loss = gradient_of(model, images, lambda logits: -_losses(logits, labels))
    assert by_loss is not None  # as before
    blind = float(without_gradient(by_loss).double().mean())
    if blind < ZERO:
        return _sparse(_flat_share(model, images, by_margin, generator))
    return Reason(
        "gradients",
        "invalid",
        f"The loss is saturated: its gradient is zero for {blind:.0%} of the images, though that of the logits is not.",
        "Scale the logits down, or attack the margin between logits instead of the cross-entropy.",
    )


def _sparse(share: float) -> Reason | None:
    if share < SPARSE:
        return None
    return Reason(
        "gradients",
        "suspect",
        f"The gradient of the logits is zero at {share:.0%} of the pixels, as where a layer is saturated.",
        "Find the layer that passes nothing on, and attack with a differentiable stand-in for it.",
    )


def _flat_share(
    model: torch.nn.Module, images: torch.Tensor, gradient: torch.Tensor, generator: torch.Generator
) -> float:
    """Return the share of pixels whose gradient is zero, without those that the network does not read at all."""
    flat = gradient == 0
    never = flat.all(0, keepdim=True)
    with torch.no_grad():
        other = torch.where(never, _random_images(images, generator), images)
        logits, changed = asked(model, images), asked(model, other)
    if torch.allclose(logits, changed, rtol=1e-4, atol=1e-4 * float(logits.abs().max())):
        flat = flat[:, ~never[0]]
    return float(flat.double().mean())


def _random_images(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    drawn = torch.rand(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
    return drawn.to(images.device)


def _no_slope(
    model: torch.nn.Module, images: torch.Tensor, blind: float, generator: torch.Generator
) -> Reason:
    noise = _random_images(images, generator)
    with torch.no_grad():
        still = torch.equal(asked(model, images), asked(model, (images + TINY * (2 * noise - 1)).clamp(0, 1)))
    seen = f"The gradient of the logits is zero for {blind:.0%} of the images"
    if still:
        text = f"{seen}, and tiny changes of the input change nothing: it is rounded, quantised or passes a step."
    else:
        text = f"{seen}, though tiny changes of the input do change them: a layer has no derivative, or is saturated."
    return Reason(
        "gradients",
        "invalid",
        text,
        "Attack with a differentiable stand-in for that step (backward pass differentiable approximation).",
    )


def _predicts(
    model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, eps: float
) -> Reason | None:
    """Compare the change of the margin along the gradient's sign with what the gradient says it is."""
    gradient = gradient_of(model, images, lambda logits: margins(logits, labels))
    if gradient is None:
        return None  # said before
    step = max(eps, 1e-3) / 10
    with torch.no_grad():
        ends = [(images + sign * step * gradient.sign()).clamp(0, 1) for sign in (1, -1)]
        up, down = (margins(asked(model, end), labels) for end in ends)
    told = (gradient * (ends[0] - ends[1]) / 2).flatten(1).sum(1)
    ratios = ((up - down) / 2 / told)[told > 0]
    if not len(ratios) or float(ratios.median()) >= 0.1:
        return None
    return Reason(
        "gradient predicts the output",
        "invalid",
        f"Along the gradient the logits change by {float(ratios.median()):.2f} times what it says (median over images).",
        "Look for a backward pass that is not that of forward(), a saturated layer, or rounding.",
    )


def gradient_of(
    model: torch.nn.Module, images: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor | None:
    """Return the gradient of a loss (N,) with respect to images; None where the output is cut off from them."""
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        found = loss(asked(model, images)).sum()
        if not found.requires_grad:
            return None
        return torch.autograd.grad(found, images, allow_unused=True)[0]


def margins(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the logit of the label less the largest other one, (N,)."""
    own = logits.gather(1, labels[:, None])[:, 0]
    return own - logits.scatter(1, labels[:, None], -torch.inf).amax(1)


def _losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits, labels, reduction="none")
