"""Configuration of a small CLIP from scratch; loads torch and transformers only to build the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradlab._configuration import dataclass
from gradlab.language.transformer import TextTransformer
from gradlab.types import STRICT, Count, PositiveFloat, UserError

if TYPE_CHECKING:
    from transformers import CLIPModel


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SmallCLIP:
    """A vision transformer and a text transformer with one embedding space (Radford et al., 2021, arXiv:2103.00020), of any
    size, as the class `CLIPModel` of the package transformers.

    Attributes:
        patch: side of a patch in pixels; image sizes are multiples of it.
        width, layers, heads: of the image tower; feed-forward layers have four times the width.
        text_width, text_layers, text_heads: of the text tower.
        embedding: numbers of the space in which pictures and texts meet.
        max_length: tokens of a text at most, with the two at its ends.
        temperature: by which cosines are divided at the start, 0.07 in the paper; it is learned.
    """

    patch: Count = 4
    width: Count = 96
    layers: Count = 4
    heads: Count = 4
    text_width: Count = 64
    text_layers: Count = 2
    text_heads: Count = 4
    embedding: Count = 64
    max_length: Count = 32
    temperature: PositiveFloat = 0.07

    def __post_init__(self) -> None:
        for tower, width, heads in (
            ("image", self.width, self.heads),
            ("text", self.text_width, self.text_heads),
        ):
            if width % heads:
                raise UserError(
                    f"the heads of the {tower} tower share its width evenly, got {heads} heads for width {width}; use a "
                    f"number of heads that divides {width}."
                )

    def parameter_count(self, size: int, vocab: int) -> int:
        """Count the trainable numbers for images of `size` pixels a side and `vocab` tokens."""
        places = (size // self.patch) ** 2 + 1
        vision = 3 * self.patch**2 * self.width + (places + 1) * self.width + 4 * self.width
        words = (vocab + self.max_length) * self.text_width + 2 * self.text_width
        heads = (self.width + self.text_width) * self.embedding
        blocks = self.layers * _block(self.width) + self.text_layers * _block(self.text_width)
        return vision + words + heads + blocks + 1

    def text_tower(self) -> TextTransformer:
        """Return the text tower alone, to be pre-trained on sentences."""
        return TextTransformer(
            family="clip",
            dim=self.text_width,
            layers=self.text_layers,
            heads=self.text_heads,
            hidden_dim=4 * self.text_width,
            dropout=0.0,
            max_length=self.max_length,
        )

    def describe(self) -> str:
        """Name the parts in one line."""
        return (
            f"CLIP: image tower of {self.layers} layers of width {self.width} on patches of {self.patch} pixels, text tower of "
            f"{self.text_layers} layers of width {self.text_width}, embeddings of {self.embedding} numbers"
        )

    def build(self, size: int, *, vocab: int, end: int, pad: int, seed: int) -> CLIPModel:
        """Build the network with the initial bits of `seed`.

        Args:
            size: height and width of the images in pixels. vocab: tokens that the tokenizer knows.
            end, pad: ids of the token that ends a text, whose output stands for the text, and of padding.

        Raises:
            UserError: images that patches do not fill, or the extra `text` is not installed.
        """
        from gradlab.language._extra import need_text

        need_text("CLIP")
        if size % self.patch:
            raise UserError(
                f"patches of {self.patch} pixels do not fill images of {size} pixels a side; choose a patch that divides it."
            )
        from transformers import CLIPConfig, CLIPModel

        from gradlab.models._randomness import seeded

        with seeded(seed):
            return CLIPModel(CLIPConfig(**self._settings(size, vocab, end, pad)))

    def _settings(self, size: int, vocab: int, end: int, pad: int) -> dict[str, Any]:
        from math import log

        vision = {
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
        }
        words = {
            "hidden_size": self.text_width,
            "num_hidden_layers": self.text_layers,
            "num_attention_heads": self.text_heads,
            "intermediate_size": 4 * self.text_width,
            "max_position_embeddings": self.max_length,
            "vocab_size": vocab,
            "eos_token_id": end,
            "bos_token_id": None,
            "pad_token_id": pad,
        }
        more = {"intermediate_size": 4 * self.width, "patch_size": self.patch, "image_size": size}
        return {
            "vision_config": vision | more,
            "text_config": words,
            "projection_dim": self.embedding,
            "logit_scale_init_value": log(1 / self.temperature),
            "attn_implementation": "sdpa",
        }


def _block(width: int) -> int:
    attention, feed_forward = 4 * (width + 1) * width, (width + 1) * 4 * width + (4 * width + 1) * width
    return attention + feed_forward + 4 * width
