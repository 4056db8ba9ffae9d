"""Zero-shot classification with class names of one's own, of images in memory or in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gradlab.clip.classifier import CLIPClassifier
from gradlab.clip.loading import load_clip
from gradlab.clip.network import CLIP
from gradlab.clip.prompts import PHOTO
from gradlab.data import Split
from gradlab.data.pictures import find_pictures, read_picture
from gradlab.training.modes import kept_modes
from gradlab.training.predict import predict_logits
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """What a CLIP says of images.

    Attributes:
        class_names: as they were given. logits: (N, K) float32, scaled cosines. files: of the images, where they came from a
            folder.
    """

    class_names: tuple[str, ...]
    logits: Tensor
    files: tuple[str, ...] = ()

    @property
    def probabilities(self) -> Tensor:
        """(N, K), each row sums to 1."""
        return self.logits.softmax(1)

    @property
    def names(self) -> list[str]:
        """The name of the likeliest class of every image."""
        return [self.class_names[one] for one in self.logits.argmax(1).tolist()]


def zero_shot(
    model: CLIP | str | Path,
    images: Tensor | Split | str | Path | Sequence[str | Path],
    class_names: Sequence[str],
    templates: Sequence[str] = PHOTO,
) -> ZeroShot:
    """Ask a CLIP which of some classes images show; nothing is trained, and the model is left as it was.

    Logits are scaled, normalised similarities, and a class is the normalised mean of its prompts (Radford et al., 2021,
    section 3.1.4).

    Args:
        model: a CLIP, its folder or its name, such as "openai/clip-vit-base-patch16".
        images: (N, C, H, W) in [0, 1], part of a data set, a folder of pictures, a file, or several of these.
        class_names: words for each class, such as ["tabby cat", "dog"].
        templates: sentences with {} for the class name; several are averaged.

    Raises:
        UserError: images that are none, a class named twice, a template without {}, or whatever `load_clip` refuses.
    """
    clip = model if isinstance(model, CLIP) else load_clip(model)
    classifier = CLIPClassifier(clip, class_names, templates)
    names = classifier.class_names
    if isinstance(images, Split):
        return ZeroShot(names, predict_logits(classifier, images).cpu())
    if isinstance(images, Tensor):
        return ZeroShot(names, _logits(classifier, images))
    if not isinstance(images, str | Path | Sequence):
        raise UserError(
            f"zero_shot reads a tensor, part of a data set, or pictures by folder or file, got {type(images).__name__}; "
            "torch.from_numpy(images) makes a tensor of an array."
        )
    files = find_pictures([images] if isinstance(images, str | Path) else images)
    rows = []
    for file in files:  # one by one, since each has a size of its own
        pixels = torch.from_numpy(read_picture(file, (3,)).pixels)
        rows.append(_logits(classifier, pixels[None].float() / 255))
    return ZeroShot(names, torch.cat(rows), tuple(map(str, files)))


@torch.no_grad()
def _logits(classifier: CLIPClassifier, images: Tensor) -> Tensor:
    if not images.is_floating_point() or not len(images) or not (images.min() >= 0 and images.max() <= 1):
        raise UserError(
            f"zero_shot reads at least one image in [0, 1], got {images.dtype} {tuple(images.shape)}; CLIP normalises by itself: "
            "divide grey levels by 255, and undo a normalisation."
        )
    place = classifier.clip.model.logit_scale.device
    with kept_modes(classifier):
        classifier.eval()
        return torch.cat([classifier(part.to(place)).float().cpu() for part in torch.split(images, 64)])
