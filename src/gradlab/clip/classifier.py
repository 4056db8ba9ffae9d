"""A CLIP with the names of classes: an image classifier like any other, for training, attacks and explanations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.clip.network import CLIP
from gradlab.clip.prompts import PHOTO, prompts_of
from gradlab.training.modes import kept_modes
from gradlab.types import UserError

AT_ONCE = 1024
"""Prompts that go through the text tower at a time where nothing is trained."""


def refuse_alike(names: Sequence[str], input_ids: Tensor) -> None:
    """Refuse classes whose prompts are the same tokens, which no network could tell apart.

    Args:
        names: K class names. input_ids: (K·P, L), those of the prompts of the first class first.

    Raises:
        UserError: two such classes; names them.
    """
    seen: dict[tuple[int, ...], str] = {}
    for name, ids in zip(names, input_ids.view(len(names), -1).tolist(), strict=True):
        if (other := seen.setdefault(tuple(ids), name)) is not name:
            raise UserError(
                f"the tokenizer of this CLIP makes the same tokens of the classes '{other}' and '{name}', so that it cannot tell "
                "them apart; give names of words that it knows, or another model."
            )


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

        Raises:
            UserError: names or templates that cannot be used, or classes that the tokenizer cannot tell apart.
        """
        super().__init__()
        self.clip, self.class_names = clip, tuple(class_names)
        own = (clip.template,) if clip.template else templates
        prompts = prompts_of(self.class_names, own)
        tokens = clip.tokens([text for one in prompts for text in one])
        refuse_alike(self.class_names, tokens["input_ids"])
        self.register_buffer("input_ids", tokens["input_ids"], persistent=False)
        self.register_buffer("attention_mask", tokens["attention_mask"], persistent=False)
        self.register_buffer("fixed", None, persistent=False)
        if fix:
            with torch.no_grad(), kept_modes(clip):
                clip.eval()  # adapters have dropout
                self.fixed = self.class_features()

    def class_features(self) -> Tensor:
        """Return the embedding (K, D) of every class, of length 1."""
        if self.fixed is not None:
            return self.fixed
        size = len(self.input_ids) if torch.is_grad_enabled() else AT_ONCE
        parts = zip(torch.split(self.input_ids, size), torch.split(self.attention_mask, size), strict=True)
        found = torch.cat([self.clip.text_features(ids, mask) for ids, mask in parts])
        return functional.normalize(found.view(len(self.class_names), -1, found.shape[-1]).mean(1), dim=-1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1] to logits."""
        return self.clip.scale * self.clip.image_features(images) @ self.class_features().T
