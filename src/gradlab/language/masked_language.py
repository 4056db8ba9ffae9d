"""Guessing masked tokens: an encoder with a head over the vocabulary, and the objective that trains it through `fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.language.masking import Masked, mask_tokens
from gradlab.models._randomness import seeded
from gradlab.types import derive_seed

if TYPE_CHECKING:
    from gradlab.language.text_encoder import TextEncoder
    from gradlab.training.objective import Batch, Better, Forward


class MaskedLanguageModel(nn.Module):
    """An encoder and BERT's head: a layer with GELU and layer norm, then the embeddings themselves as output weights.

    As in Devlin et al., 2019 (arXiv:1810.04805) and its code; the weights that name tokens are those that read them (Press &
    Wolf, 2017, arXiv:1608.05859).
    """

    def __init__(self, encoder: TextEncoder, *, seed: int) -> None:
        super().__init__()
        self.encoder = encoder
        width, embeddings = encoder.hidden_size, encoder.transformer.get_input_embeddings().weight
        with seeded(seed):  # its constructor draws values, which are replaced
            self.transform = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(embeddings)))
        stream = torch.Generator().manual_seed(derive_seed(seed, "init", "head of masked language"))
        std = float(getattr(encoder.transformer.config, "initializer_range", 0.02))
        with torch.no_grad():
            self.transform.weight.normal_(0.0, std, generator=stream)
            self.transform.bias.zero_()

    def forward(self, input_ids: Tensor, attention_mask: Tensor, places: Tensor | None = None) -> Tensor:
        """Map token ids (N, L) and columns (N, M) to logits (N, M·V): for each place, of every token of the vocabulary.

        Without places, those of each text's first token.
        """
        hidden = self.encoder(input_ids, attention_mask)
        columns = input_ids.new_zeros(len(input_ids), 1) if places is None else places
        there = hidden.gather(1, columns[..., None].expand(-1, -1, hidden.shape[-1]))
        ready = self.norm(functional.gelu(self.transform(there)))
        weights = self.encoder.transformer.get_input_embeddings().weight
        return functional.linear(ready, weights, self.bias).flatten(1)


class MaskedLanguage:
    """Mean cross-entropy over the masked tokens of a batch; a `gradlab.training.Objective`.

    What is masked depends on seed and step in training; in validation on the batch alone, so that epochs compare. There the
    loss and the accuracy are means over texts of the means over their masked tokens.

    Args:
        special: ids that are never masked nor drawn, [MASK] the last of them. vocab: tokens.
    """

    training: tuple[str, ...] = ()
    changes_inputs = False

    def __init__(self, special: tuple[int, ...], vocab: int) -> None:
        self.special, self.vocab = special, vocab

    @property
    def validation(self) -> Mapping[str, Better]:
        """Loss, and share of masked tokens that are guessed."""
        return {"loss": "less", "accuracy": "more"}

    def __call__(self, forward: Forward, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss (1,) and the logits (1, N, M·V)."""
        masked, logits = self._guess(forward, batch, "masks")
        losses = functional.cross_entropy(
            logits.view(*masked.places.shape, -1)[masked.meant], masked.targets[masked.meant]
        )
        return losses.unsqueeze(0), logits

    def measure(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002 - the loss is all
        """Measure nothing more."""
        return {}

    def validate(self, forward: Forward, batch: Batch) -> dict[str, Tensor]:
        """Return loss and accuracy of every text, (1, N) each."""
        masked, logits = self._guess(forward, batch, "validation masks")
        each = logits.view(*masked.places.shape, -1)
        losses = functional.cross_entropy(each.transpose(1, 2), masked.targets, reduction="none")
        right = (each.argmax(-1) == masked.targets).to(losses.dtype)
        counts = masked.counts.clamp_min(1)
        means = [(values * masked.meant).sum(1) / counts for values in (losses, right)]
        return {name: mean.unsqueeze(0) for name, mean in zip(("loss", "accuracy"), means, strict=True)}

    def _guess(self, forward: Forward, batch: Batch, stream: str) -> tuple[Masked, Tensor]:
        inputs = batch.inputs
        assert isinstance(inputs, Mapping)  # a feed of tokens
        ids, mask = inputs["input_ids"][0], inputs["attention_mask"][0]
        masked = mask_tokens(ids, mask, self.special, self.vocab, batch.generators(stream)[0])
        logits = forward(
            {"input_ids": masked.ids[None], "attention_mask": mask[None], "places": masked.places[None]}
        )
        return masked, logits
