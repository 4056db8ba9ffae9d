"""A CLIP behind one door: images in [0, 1] and texts to embeddings, and to scaled, normalised similarities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn import functional

from gradlab.types import UserError

if TYPE_CHECKING:
    from transformers import CLIPModel

    from gradlab.clip.preprocessing import Preprocessing

MOST_SCALE = 100.0
"""By which cosines are multiplied at most (Radford et al., 2021, section 2.5)."""


class CLIP(nn.Module):
    """A `CLIPModel` of the package transformers with its tokenizer and its preprocessing.

    Attributes:
        model: the `CLIPModel`, or one with adapters. tokenizer: of the package transformers. preprocessing: the first layer.
        template: of a prompt that was learned, which takes the place of every other; None where there is none.
    """

    def __init__(
        self, model: CLIPModel, tokenizer: Any, preprocessing: Preprocessing, template: str | None = None
    ) -> None:
        super().__init__()
        self.preprocessing, self.tokenizer, self.model = preprocessing, tokenizer, model
        self.template = template

    @property
    def max_length(self) -> int:
        """Tokens of a text at most."""
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def scale(self) -> Tensor:
        """By which cosines are multiplied to be logits, at most 100; it is learned."""
        return self.model.logit_scale.clamp(max=math.log(MOST_SCALE)).exp()  # type: ignore[no-any-return]

    def tokens(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """Return `input_ids` and `attention_mask`, (T, L) int64 each, of texts, padded to the longest.

        Raises:
            UserError: no text, an empty one, or one that is longer than the text tower reads.
        """
        if isinstance(texts, str) or not len(texts) or not all(text.strip() for text in texts):
            raise UserError(
                "CLIP reads a list of at least one text, none of them empty; pass [text, text, …]."
            )
        found = self.tokenizer(list(texts), padding=True, return_tensors="pt")
        length = found["input_ids"].shape[1]
        if length > self.max_length:
            longest = max(texts, key=len)
            raise UserError(
                f"this CLIP reads texts of at most {self.max_length} tokens, got {length} ('{longest[:40]}…'); use a shorter "
                "template or class name."
            )
        place = self.model.logit_scale.device
        return {name: found[name].to(place) for name in ("input_ids", "attention_mask")}

    def image_features(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to embeddings (N, D) of length 1."""
        return functional.normalize(self.model.visual_projection(self._pooled(images)), dim=-1)

    def text_features(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map tokens (T, L) to embeddings (T, D) of length 1."""
        output = self.model.text_model(input_ids=input_ids, attention_mask=attention_mask)
        return functional.normalize(self.model.text_projection(output.pooler_output), dim=-1)

    def forward(
        self, images: Tensor, input_ids: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] and texts (T, L) to logits (N, T): cosines times `scale`.

        Without texts: images to embeddings (N, D), so that what reads the input of the last linear layer, such as
        `gradlab.transfer.features`, gets the features that linear probes are fitted to.
        """
        if input_ids is None or attention_mask is None:
            return self.model.visual_projection(self._pooled(images))  # type: ignore[no-any-return]
        return self.scale * self.image_features(images) @ self.text_features(input_ids, attention_mask).T

    def _pooled(self, images: Tensor) -> Tensor:
        return self.model.vision_model(pixel_values=self.preprocessing(images)).pooler_output  # type: ignore[no-any-return]
