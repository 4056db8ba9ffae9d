"""Configuration of a transformer that classifies texts; loads torch and transformers only to build the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, PositiveFloat, Probability, UserError

if TYPE_CHECKING:
    from gradlab.language.transformer_network import TextNetwork

Family = Literal["distilbert", "bert", "clip"]
FAMILY_NAMES: dict[Family, str] = {"distilbert": "DistilBERT", "bert": "BERT", "clip": "text tower of CLIP"}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextTransformer:
    """An encoder as in BERT (Devlin et al., 2019, arXiv:1810.04805) or DistilBERT (Sanh et al., 2019,
    arXiv:1910.01108) of any size, from scratch, with the family's head for classification on the first token.

    How many tokens there are is the tokenizer's to say, how many classes the data's.

    Attributes:
        family: "distilbert", or "bert", which adds token types and a tanh in the head; or "clip", the text tower of a CLIP
            (Radford et al., 2021, arXiv:2103.00020), which reads from left to right and has no head.
        dim: numbers that stand for a token. layers: blocks of attention and feed-forward layers.
        heads: of the attention; they share the dim evenly.
        hidden_dim: units of the feed-forward layers.
        dropout: probability of zeroing a number of the embeddings, the attention weights, the feed-forward outputs and
            the input of the last layer.
        max_length: tokens of a text at most, with the two at its ends.
        initial_std: standard deviation of the initial weights; biases start at 0.
    """

    family: Family = "distilbert"
    dim: Count = 64
    layers: Count = 2
    heads: Count = 4
    hidden_dim: Count = 256
    dropout: Probability = 0.3
    max_length: Count = 64
    initial_std: PositiveFloat = 0.02

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise UserError(
                f"heads share the dim evenly, got {self.heads} heads for dim {self.dim}; "
                f"use a number of heads that divides {self.dim}."
            )
        if self.max_length < 3:
            raise UserError(
                f"max_length counts the tokens at both ends of a text and must be at least 3, got {self.max_length}."
            )

    def parameter_count(self, vocab: int, classes: int) -> int:
        """Count the trainable numbers for `vocab` tokens and `classes` outputs."""
        dim, hidden = self.dim, self.hidden_dim
        types = 2 if self.family == "bert" else 0
        embeddings = (vocab + self.max_length + types) * dim + 2 * dim
        attention = 4 * (dim + 1) * dim + 2 * dim
        feed_forward = (dim + 1) * hidden + (hidden + 1) * dim + 2 * dim
        head = (dim + 1) * dim + (dim + 1) * classes
        return embeddings + self.layers * (attention + feed_forward) + head

    def describe(self, vocab: int, classes: int) -> str:
        """Name the parts in one line, such as "DistilBERT: 8000 tokens→64, 2 layers of 4 heads and 256 units, head 64→2"."""
        layers = "1 layer" if self.layers == 1 else f"{self.layers} layers"
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        return (
            f"{FAMILY_NAMES[self.family]}: {vocab} tokens→{self.dim}, {layers} of {heads} and {self.hidden_dim} units, "
            f"head {self.dim}→{classes}"
        )

    def build(self, classes: int, *, seed: int, vocab: int) -> TextNetwork:
        """Build the network for texts of `vocab` different tokens, with the initial bits of `seed`.

        Raises:
            UserError: fewer than one class or token, or the extra `text` is not installed.
        """
        from gradlab.language._extra import need_text

        need_text("a text transformer")
        from gradlab.language.transformer_network import build_text_transformer

        return build_text_transformer(self, classes, seed=seed, vocab=vocab)
