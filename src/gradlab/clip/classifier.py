"""A CLIP with the names of classes: an image classifier like any other, for training, attacks and explanations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.clip.network import CLIP
from gradlab.clip.prompts import PHOTO, prompts_of


class CLIPClassifier(nn.Module):
    """Images (N, C, H, W) in [0, 1] to logits (N, K): scaled cosines with the embeddings of K classes.

    The embedding of a class is the normalised mean of the normalised embeddings of its prompts (Radford et al., 2021,
    section 3.1.4). The logits are the same in training and in evaluation.

    Attributes:
        clip: the model. class_names: as they were given, in the order of the logits.
    """

    input_ids: Tensor
    attention_mask: Tensor
    fixed: Tensor | None

    def __init__(
        self, clip: CLIP, class_names: Sequence[str], templates: Sequence[str] = PHOTO, *, fix: bool = True
    ) -> None:
        """Encode the prompts of the classes.

        Args:
            clip: taken as it is, not copied. class_names: words for each class. templates: sentences with {} for them; of
                a learned prompt, its own.
            fix: whether embeddings of classes are computed once; else with every batch, so that gradients reach the text tower.
        """
        super().__init__()
        self.clip, self.class_names = clip, tuple(class_names)
        own = (clip.template,) if clip.template else templates
        prompts = prompts_of(class_names, own)
        tokens = clip.tokens([text for one in prompts for text in one])
        self.register_buffer("input_ids", tokens["input_ids"], persistent=False)
        self.register_buffer("attention_mask", tokens["attention_mask"], persistent=False)
        self.register_buffer("fixed", None, persistent=False)
        if fix:
            with torch.no_grad():
                self.fixed = self.class_features()

    def class_features(self) -> Tensor:
        """Return the embedding (K, D) of every class, of length 1."""
        if self.fixed is not None:
            return self.fixed
        found = self.clip.text_features(self.input_ids, self.attention_mask)
        return functional.normalize(found.view(len(self.class_names), -1, found.shape[-1]).mean(1), dim=-1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1] to logits."""
        return self.clip.scale * self.clip.image_features(images) @ self.class_features().T
