"""What an attack achieved on each image, judged on the final image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradlab._torch import torch
from gradlab.attacks._checks import check_images, log, look_like_probabilities, stream_of, without_gradient
from gradlab.attacks._goal import Goal, look, prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found
from gradlab.attacks.registry import ATTACKS
from gradlab.metrics import psnr, ssim
from gradlab.metrics.arrays import Floats
from gradlab.types import UserError


@dataclass(frozen=True)
class Attacked:
    """N attacked images, as they are and as the model sees them.

    Attributes:
        images: (N, C, H, W) the adversarial images. originals: (N, C, H, W) the images as given.
        labels: (N,) int64. targets: (N,) int64, or None.
        clean_logits: (N, K) of the images as given. adversarial_logits: (N, K), computed anew on the final images.
        linf: (N,) float64, the largest change of a number. l2: (N,) float64, the Euclidean length of the change.
        is_blind: (N,) bool: the gradient at the image as given is zero, so that gradients show no direction.
        probabilities: the outputs look like probabilities instead of logits, which hides gradients.
        iterations, queries: (N,) int64 of `Found`; None for a plain function, which does not tell them.
    """

    images: torch.Tensor
    originals: torch.Tensor
    labels: torch.Tensor
    targets: torch.Tensor | None
    clean_logits: torch.Tensor
    adversarial_logits: torch.Tensor
    linf: torch.Tensor
    l2: torch.Tensor
    is_blind: torch.Tensor
    probabilities: bool
    iterations: torch.Tensor | None = None
    queries: torch.Tensor | None = None

    @property
    def clean_predictions(self) -> torch.Tensor:
        """(N,) predicted classes of the images as given."""
        return self.clean_logits.argmax(1)

    @property
    def adversarial_predictions(self) -> torch.Tensor:
        """(N,) predicted classes of the adversarial images."""
        return self.adversarial_logits.argmax(1)

    @property
    def is_attackable(self) -> torch.Tensor:
        """(N,) bool: classified correctly before, and so not as its target; success is counted over these."""
        return self.clean_predictions == self.labels

    @property
    def is_success(self) -> torch.Tensor:
        """(N,) bool: attackable, and now classified as something else, or as the target."""
        return self.is_attackable & Goal(self.labels, self.targets).is_reached(self.adversarial_logits)

    @property
    def successes(self) -> tuple[int, int]:
        """How many succeeded, of how many that are attackable."""
        return int(self.is_success.sum()), int(self.is_attackable.sum())

    @property
    def l0(self) -> torch.Tensor:
        """(N,) int64, pixels that changed in any channel."""
        return (self.images != self.originals).any(1).flatten(1).sum(1)

    @cached_property
    def ssim(self) -> Floats:
        """(N,) structural similarity to the images as given; see `gradlab.metrics.ssim`."""
        return ssim(self.originals, self.images)

    @cached_property
    def psnr(self) -> Floats:
        """(N,) peak signal-to-noise ratio in decibels; infinite where nothing changed."""
        return psnr(self.originals, self.images)

    @property
    def robust_accuracy(self) -> float:
        """Share of all images that are classified correctly both before and after."""
        still = self.is_attackable & (self.adversarial_predictions == self.labels)
        return float(still.double().mean())


def attacked(
    attack: Callable[..., Any],
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
    batch_size: int = 256,
) -> Attacked:
    """Attack images batch by batch and judge the result on the final images.

    Args:
        attack: a configuration such as `PGD()`, or any function that is called like one.
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); left as it was found.
        images: (N, C, H, W) float in [0, 1], N ≥ 1. labels: (N,) int64 in [0, K).
        targets: (N,) int64, for a targeted attack.
        generator: of the attack's random starts; left out, those of seed 0.
        batch_size: images in one call of the attack.

    Raises:
        UserError: as the attack does, no images, or an attack that is none or returns what is no image.
    """
    check_attack(attack)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
    if not len(images) or batch_size < 1:
        raise UserError(
            f"attacked needs at least one image and a batch size of at least 1, got {len(images)} images and {batch_size}."
        )
    generator = stream_of(generator)
    parts, told = [], []
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        some = goal.rows(rows)
        call: Callable[..., torch.Tensor | Found] = attack.explore if isinstance(attack, Explorer) else attack
        found = call(model, images[rows], some.labels, targets=some.targets, generator=generator)
        if isinstance(found, Found):
            told.append((found.iterations, found.queries))
            found = found.images
        else:
            _check_made(found, images[rows])
        parts.append((found, *_seen(model, images[rows], found, some)))
    adversarial, clean_logits, adversarial_logits, blind = map(torch.cat, zip(*parts, strict=True))
    change = (adversarial.double() - images.double()).flatten(1)  # exact
    probabilities = look_like_probabilities(clean_logits)
    if probabilities:
        log.warning(
            "The model's outputs look like probabilities; give the logits before the softmax, which hides gradients."
        )
    return Attacked(
        images=adversarial,
        originals=images,
        labels=goal.labels,
        targets=goal.targets,
        clean_logits=clean_logits,
        adversarial_logits=adversarial_logits,
        linf=change.abs().amax(1),
        l2=change.norm(dim=1),
        is_blind=blind,
        probabilities=probabilities,
        iterations=torch.cat([iterations for iterations, _ in told]) if told else None,
        queries=torch.cat([queries for _, queries in told]) if told else None,
    )


def check_attack(attack: Any) -> None:
    """Refuse what cannot attack.

    Raises:
        UserError: a name or a class instead of a configuration, or what cannot be called.
    """
    form = ATTACKS.get(attack) if isinstance(attack, str) else attack if isinstance(attack, type) else None
    if form is not None:
        example = "eps=8/255" if "eps" in getattr(form, "__dataclass_fields__", ()) else "..."
        got = repr(attack) if isinstance(attack, str) else f"the class {attack.__name__}"
        raise UserError(f"an attack is a configuration such as {form.__name__}({example}), got {got}.")
    if not callable(attack):
        raise UserError(
            "an attack is a configuration such as PGD(eps=8/255), or a function (model, images, labels, *, targets, "
            f"generator) -> images, got {attack!r}."
        )


def _check_made(found: Any, images: torch.Tensor) -> None:
    """Refuse what an attack of one's own returns, where that is no image for each of these."""
    try:
        check_images(found)
    except UserError as error:
        raise UserError(f"the attack returns no images in [0, 1]: {error}") from None
    if found.shape != images.shape:
        raise UserError(
            f"the attack must return an image for each that it is given, {tuple(images.shape)}, got {tuple(found.shape)}."
        )


def _seen(
    model: torch.nn.Module, images: torch.Tensor, adversarial: torch.Tensor, goal: Goal
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return clean logits, adversarial logits, and whether the gradient at the clean image is zero."""
    with undisturbed(model):
        before = look(model, images, goal, gradient=True)
        after = look(model, adversarial, goal, gradient=False)
    assert before.gradient is not None  # it was asked for
    return before.logits, after.logits, without_gradient(before.gradient)
