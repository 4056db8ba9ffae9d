"""Guessing next tokens, and at its end the words of a text: how the text tower of a CLIP learns from sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from gradlab.language.text_encoder import TextEncoder
    from gradlab.training.objective import Batch, Better, Forward

SHARE = 0.25
"""Of the places of a batch, those whose next tokens are asked for in a step; most of the time goes into the answers."""


class NextTokenModel(nn.Module):
    """An encoder that reads from left to right, with its own embeddings as output weights, and a bias.

    As in GPT (Radford et al., 2018); the weights that name tokens are those that read them (Press & Wolf, 2017,
    arXiv:1608.05859).
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.bias = nn.Parameter(torch.zeros(len(encoder.transformer.get_input_embeddings().weight)))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, places: Tensor | None = None) -> Tensor:
        """Map token ids (N, L) and columns (N, M) to logits (N, M·V): at each place, of every token of the vocabulary.

        Without places, at each text's first token.
        """
        hidden = self.encoder(input_ids, attention_mask)
        columns = input_ids.new_zeros(len(input_ids), 1) if places is None else places
        there = hidden.gather(1, columns[..., None].expand(-1, -1, hidden.shape[-1]))
        weights = self.encoder.transformer.get_input_embeddings().weight
        return functional.linear(there, weights, self.bias).flatten(1)


class Asked(NamedTuple):
    """What is asked of N texts: the tokens after M - 1 places, and at the last place of each the words of the text.

    Attributes:
        places: (N, M) int64, columns. targets: (N, M - 1) int64, the tokens after them. meant: (N, M - 1), 1 where there is a
            next token. words: (N, L), 1 for the tokens between those at the ends.
    """

    places: Tensor
    targets: Tensor
    meant: Tensor
    words: Tensor


def ask(ids: Tensor, attention_mask: Tensor, generator: torch.Generator, share: float = SHARE) -> Asked:
    """Choose the places of a batch whose next tokens are asked for, the same columns for all of its texts.

    Args:
        ids: (N, L) int64. attention_mask: (N, L), 1 for a token and 0 for the padding behind it.
        generator: source of the choice, on the CPU. share: of the columns, at least one.
    """
    most = ids.shape[1] - 1
    columns = torch.randperm(most, generator=generator)[: max(1, round(share * most))].sort().values
    columns = columns.to(ids.device).expand(len(ids), -1)
    last = attention_mask.sum(1, keepdim=True) - 1
    words = attention_mask.clone().scatter_(1, last, 0)
    words[:, 0] = 0
    return Asked(
        torch.cat([columns, last], 1),
        ids.gather(1, columns + 1),
        attention_mask.gather(1, columns + 1),
        words,
    )


class NextToken:
    """Mean cross-entropy over the places asked; a `gradlab.training.Objective`.

    The last token of a text, whose output is all that a CLIP reads of it, has no next one. There each of the text's tokens is
    asked for with equal weight, as of a paragraph vector (Le & Mikolov, 2014, arXiv:1405.4053, distributed bag of words). The
    loss is the mean over next tokens plus the mean over texts of what is asked at their ends. Which places are asked depends on
    seed and step in training; in validation on the batch alone, so that epochs compare. There each text counts the same, and
    the accuracy is that of next tokens.
    """

    training: tuple[str, ...] = ()
    changes_inputs = False

    @property
    def validation(self) -> Mapping[str, Better]:
        """Loss, and share of next tokens that are guessed."""
        return {"loss": "less", "accuracy": "more"}

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss (1,) and the logits (1, N, M·V)."""
        asked, logits, after, at_end = _guess(forward, batch, "places")
        loss = after.sum() / asked.meant.sum().clamp_min(1) + at_end.mean()
        return loss.unsqueeze(0), logits

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002 - the loss is all
        """Measure nothing more."""
        return {}

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Return loss and accuracy of every text, (1, N) each."""
        asked, logits, after, at_end = _guess(forward, batch, "validation places")
        each = logits.view(*asked.places.shape, -1)[:, :-1]
        counts = asked.meant.sum(1).clamp_min(1)
        right = (each.argmax(-1) == asked.targets) & asked.meant.bool()
        found = {"loss": after.sum(1) / counts + at_end, "accuracy": right.sum(1) / counts}
        return {name: one.unsqueeze(0) for name, one in found.items()}


def _guess(forward: Forward, batch: Batch, stream: str) -> tuple[Asked, Tensor, Tensor, Tensor]:
    """Return what was asked, the logits (1, N, M·V), and the losses (N, M - 1) of next tokens and (N,) at the ends."""
    inputs = batch.inputs
    assert isinstance(inputs, Mapping)  # a feed of tokens
    ids, mask = inputs["input_ids"][0], inputs["attention_mask"][0]
    asked = ask(ids, mask, batch.generators(stream)[0])
    logits = forward({"input_ids": ids[None], "attention_mask": mask[None], "places": asked.places[None]})
    each = logits.view(*asked.places.shape, -1)
    after = functional.cross_entropy(each[:, :-1].transpose(1, 2), asked.targets, reduction="none")
    named = -each[:, -1].log_softmax(-1).gather(1, ids)
    at_end = (named * asked.words).sum(1) / asked.words.sum(1).clamp_min(1)
    return asked, logits, after * asked.meant, at_end
