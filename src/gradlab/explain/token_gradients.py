"""Integrated gradients on the embeddings of tokens: the score's change from a text without words, divided among its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab._torch import torch
from gradlab.explain._network import gradient_of, hooked, logits, undisturbed
from gradlab.explain.targets import Targets, choose, rows_of, score_of
from gradlab.types import UserError

MOST_TOKENS = 8192
"""Tokens of one pass, those of all its points on the way counted."""


@dataclass(frozen=True, eq=False)
class TokenGradients:
    """What integrated gradients say of N texts.

    Attributes:
        values: (N, L) signed, what each token adds to the score; 0 at padding, and where a token equals the baseline's.
        scores: (N,) of the texts. baseline_scores: (N,) of the baselines.
    """

    values: torch.Tensor
    scores: torch.Tensor
    baseline_scores: torch.Tensor

    @property
    def gap(self) -> torch.Tensor:
        """What is missing to completeness, (N,): the sum of the values minus the change of the score; 0 for enough steps."""
        return self.values.sum(1) - (self.scores - self.baseline_scores)


def token_gradients(
    model: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    baseline: torch.Tensor,
    targets: Targets = None,
    *,
    steps: int = 50,
    embedding: str | None = None,
) -> TokenGradients:
    """Integrated gradients (Sundararajan et al., 2017, arXiv:1703.01365) from one embedding of tokens to another.

    A token's value is the sum over its embedding of (embedding - baseline's embedding) times the mean gradient on the straight
    line between them (eq. 1), by Gauss-Legendre quadrature. Positions and everything else stay as they are.

    Args:
        model: maps `model(**inputs)` to logits (N, K), or to an object that has them as `logits`; left as it was.
        inputs: "input_ids" (N, L) int64, and whatever else the model reads, such as "attention_mask" (N, L).
        baseline: (N, L) int64, ids of texts that say nothing, such as [MASK] in the place of every word.
        targets: None for each text's predicted class, a class for all, one for each, or a function of logits (N, K) -> (N,).
        steps: points on the way, at least 1; `gap` of the result tells whether they are enough.
        embedding: name of the layer that turns ids into vectors; left out: what `get_input_embeddings` of the model returns.

    Raises:
        UserError: no such layer, or one that does not run once, ids of other shapes, an unknown class, or no step.
    """
    ids = inputs.get("input_ids")
    if not isinstance(ids, torch.Tensor) or ids.dim() != 2 or ids.shape != baseline.shape:
        raise UserError(
            "token_gradients reads inputs['input_ids'] and a baseline of the same shape (N, L), got "
            f"{tuple(getattr(ids, 'shape', ()))} and {tuple(baseline.shape)}."
        )
    if steps < 1:
        raise UserError(
            f"steps counts points on the way from the baseline and must be at least 1, got {steps}."
        )
    layer = _embedding(model, embedding)
    with undisturbed(model, gradient=False):
        found = _logits(model, inputs)
        chosen = choose(found, targets)
        start = score_of(_logits(model, {**inputs, "input_ids": baseline}), chosen)
        vectors, others = layer(ids), layer(baseline)
    change = vectors - others
    mean = torch.zeros_like(change)
    places, shares = (one.to(change) for one in _points(steps))
    with undisturbed(model, gradient=True):
        for rows, some in _passes(len(ids), ids.shape[1], steps):
            at = others[rows] + places[some, None, None, None] * change[rows]
            given = {name: one[rows].repeat(len(at), 1) for name, one in inputs.items()}
            target = rows_of(chosen, rows)
            target = target.repeat(len(at)) if isinstance(target, torch.Tensor) else target
            gradient = _gradient(model, layer, given, at.flatten(0, 1), target).view_as(at)
            mean[rows] += torch.einsum("s,snld->nld", shares[some], gradient)
    return TokenGradients((change * mean).sum(-1), score_of(found, chosen), start)


def _points(steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return places in (0, 1) and their shares, by Gauss and Legendre."""
    places, shares = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((places + 1) / 2), torch.from_numpy(shares / 2)


def _passes(count: int, length: int, steps: int) -> Iterator[tuple[slice, slice]]:
    """Cut texts, and the points on the way of each, so that a pass holds at most `MOST_TOKENS` tokens, or one text."""
    rows = max(1, MOST_TOKENS // (length * steps))
    points = steps if rows > 1 else max(1, MOST_TOKENS // length)
    for row in range(0, count, rows):
        for point in range(0, steps, points):
            yield slice(row, row + rows), slice(point, point + points)


def _logits(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    return logits(lambda _ids: model(**inputs), inputs["input_ids"])


def _gradient(
    model: torch.nn.Module,
    layer: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    at: torch.Tensor,
    chosen: Any,
) -> torch.Tensor:
    """Return the gradient (N, L, D) of every score with respect to the embeddings, which are `at` in place of the layer's."""
    put = at.detach().requires_grad_(True)
    runs: list[torch.nn.Module] = []

    def instead(one: torch.nn.Module, _inputs: Any, _output: Any) -> torch.Tensor:
        runs.append(one)
        return put

    with hooked([layer], instead):
        score = score_of(_logits(model, inputs), chosen)
    if len(runs) != 1:
        raise UserError(
            f"the embedding ran {len(runs)} times in one forward pass, so no token has one vector; name another in embedding=."
        )
    return gradient_of(score, put)


def _embedding(model: torch.nn.Module, name: str | None) -> torch.nn.Module:
    """Return the layer of that name, or the model's own embedding of tokens."""
    from gradlab.models.find_layer import find_layer

    own = getattr(model, "get_input_embeddings", None)
    if name is None and not callable(own):
        raise UserError(
            f"{type(model).__name__} does not say which layer embeds its tokens; name it in embedding=, as in named_modules()."
        )
    found = own() if name is None and callable(own) else find_layer(model, str(name))
    if not isinstance(found, torch.nn.Embedding):
        raise UserError(
            f"'{name}' is no embedding but {type(found).__name__}; name the nn.Embedding of the tokens in embedding=."
        )
    return found
