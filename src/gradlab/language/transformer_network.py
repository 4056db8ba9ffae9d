"""The text transformer as a torch module: transformers' own classes, from a configuration, behind one door."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    CLIPTextConfig,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
)

from gradlab.language.tokenizer import CLASSIFY, PADDING, SEPARATOR, SPECIAL
from gradlab.language.transformer import TextTransformer
from gradlab.models._randomness import seeded
from gradlab.types import UserError, derive_seed

PADDING_ID, CLASSIFY_ID, SEPARATOR_ID = map(SPECIAL.index, (PADDING, CLASSIFY, SEPARATOR))
"""In the tokenizers of `WordPiece`; a CLIP reads a text where its last token stands."""


class TextNetwork(nn.Module):
    """Token ids with their attention mask to logits (N, K).

    Attributes:
        config: what it was built from.
        transformer: the module of the package transformers, with its `config`; `transformer.save_pretrained(folder)`
            writes what `from_pretrained(folder)` reads.
    """

    def __init__(self, config: TextTransformer, transformer: PreTrainedModel) -> None:
        super().__init__()
        self.config = config
        self.transformer = transformer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids to logits.

        Args:
            input_ids: (N, L) int64, L at most the configuration's max_length.
            attention_mask: (N, L), 1 for a token and 0 for padding.
        Returns: logits (N, K).

        Raises:
            UserError: longer texts than the network has places for.
        """
        if input_ids.shape[-1] > self.config.max_length:
            raise UserError(
                f"this network reads at most {self.config.max_length} tokens of a text, got {input_ids.shape[-1]}; "
                f"encode the texts with max_length={self.config.max_length}."
            )
        output = self.transformer(input_ids=input_ids, attention_mask=attention_mask)
        return output.logits  # type: ignore[no-any-return]


def build_text_transformer(config: TextTransformer, classes: int, *, seed: int, vocab: int) -> TextNetwork:
    """Build the network that `config` describes, with the initial bits of `seed`."""
    if classes < 1 or vocab < 1:
        raise UserError(
            f"a text transformer needs at least one class and one token, got {classes} classes and {vocab} tokens."
        )
    if config.family == "clip":
        raise UserError(
            "the text tower of a CLIP has no head for classes of texts; choose the family distilbert or bert."
        )
    make: Any = {"distilbert": DistilBertForSequenceClassification, "bert": BertForSequenceClassification}
    with seeded(seed):  # the constructors draw values, which initialise replaces
        transformer = make[config.family](configuration_of(config, classes, vocab))
    initialise(transformer, seed, config.initial_std)
    return TextNetwork(config, transformer)


def configuration_of(config: TextTransformer, classes: int, vocab: int) -> PretrainedConfig:
    """Return the configuration of the package transformers that stands for ours."""
    if config.family == "distilbert":
        return DistilBertConfig(
            vocab_size=vocab,
            max_position_embeddings=config.max_length,
            dim=config.dim,
            n_layers=config.layers,
            n_heads=config.heads,
            hidden_dim=config.hidden_dim,
            dropout=config.dropout,
            attention_dropout=config.dropout,
            seq_classif_dropout=config.dropout,
            initializer_range=config.initial_std,
            num_labels=classes,
            attn_implementation="sdpa",
        )
    if config.family == "clip":
        return CLIPTextConfig(
            vocab_size=vocab,
            max_position_embeddings=config.max_length,
            hidden_size=config.dim,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.hidden_dim,
            attention_dropout=config.dropout,
            initializer_range=config.initial_std,
            bos_token_id=CLASSIFY_ID,
            eos_token_id=SEPARATOR_ID,
            pad_token_id=PADDING_ID,
            attn_implementation="sdpa",
        )
    return BertConfig(
        vocab_size=vocab,
        max_position_embeddings=config.max_length,
        hidden_size=config.dim,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.hidden_dim,
        hidden_dropout_prob=config.dropout,
        attention_probs_dropout_prob=config.dropout,
        initializer_range=config.initial_std,
        num_labels=classes,
        attn_implementation="sdpa",
    )


@torch.no_grad()
def initialise(module: nn.Module, seed: int, std: float) -> None:
    """Fill every parameter from the stream of (seed, its name), so that a deeper net starts as the shallower one.

    Weights are N(0, std²), biases 0, the row of the padding token 0; norms start at weight 1 and bias 0.
    """
    for name, child in module.named_modules():
        if isinstance(child, nn.LayerNorm):
            child.reset_parameters()
        elif isinstance(child, nn.Linear | nn.Embedding):
            stream = torch.Generator().manual_seed(derive_seed(seed, "init", f"{name}.weight"))
            child.weight.normal_(0.0, std, generator=stream)
            if isinstance(child, nn.Linear) and child.bias is not None:
                child.bias.zero_()
            if isinstance(child, nn.Embedding) and child.padding_idx is not None:
                child.weight[child.padding_idx].zero_()
