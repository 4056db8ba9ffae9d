"""The vision transformer as a torch module: patches, attention, blocks, head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.models._randomness import seeded
from gradlab.models.initialise import initialise
from gradlab.models.normalise import Normalise
from gradlab.models.vit import ViT
from gradlab.types import UserError, derive_seed

POSITION_STD = 0.02
"""Standard deviation of the initial positions, as published."""


class Attention(nn.Module):
    """Self-attention of several heads: softmax(QKᵀ/√d)V (Vaswani et al., 2017, arXiv:1706.03762, eq. 1)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, T, D) to (N, T, D)."""
        query, key, value = self.split(tokens)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.output(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (N, heads, T, D / heads), of tokens (N, T, D)."""
        parts = self.query_key_value(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return parts[0], parts[1], parts[2]

    def weights(self, tokens: Tensor) -> Tensor:
        """Return how much each token attends to each other: (N, heads, T, T), rows that sum to 1."""
        query, key, _ = self.split(tokens)
        return torch.softmax(query @ key.transpose(2, 3) / query.shape[3] ** 0.5, dim=3)

    def extra_repr(self) -> str:
        """Show the number of heads."""
        return f"heads={self.heads}"


class AttentionBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, config: ViT) -> None:
        super().__init__()
        width, hidden = config.width, config.expansion * config.width
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, config.heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, T, D) to (N, T, D)."""
        tokens = tokens + self.dropout(self.attention(self.attention_norm(tokens)))
        return tokens + self.dropout(self.mlp(self.mlp_norm(tokens)))  # type: ignore[no-any-return]


class Tokens(nn.Module):
    """Patches as tokens, with the class token before them where there is one, and their positions added."""

    def __init__(self, config: ViT, channels: int, count: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, config.width, config.patch, stride=config.patch)
        has_token = config.end == "class-token"
        self.class_token = nn.Parameter(torch.zeros(1, 1, config.width)) if has_token else None
        self.positions = nn.Parameter(torch.zeros(1, count, config.width))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) to tokens (N, T, D), row by row."""
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], 1)
        return tokens + self.positions  # type: ignore[no-any-return]

    def reset_parameters(self) -> None:
        """Draw the positions from the global stream; the class token starts at zero."""
        nn.init.normal_(self.positions, std=POSITION_STD)
        if self.class_token is not None:
            nn.init.zeros_(self.class_token)


class TokenEnd(nn.Module):
    """What the head reads: the mean of the tokens, or the first, which is the class token."""

    def __init__(self, end: str) -> None:
        super().__init__()
        self.end = end

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, T, D) to (N, D)."""
        return tokens.mean(1) if self.end == "mean" else tokens[:, 0]

    def extra_repr(self) -> str:
        """Show which of the two."""
        return self.end


class ViTNetwork(nn.Module):
    """normalise → tokens → blocks → norm → end → head; images (N, C, H, W) in [0, 1] to logits (N, K)."""

    def __init__(self, config: ViT, input_shape: tuple[int, ...], classes: int, normalise: Normalise) -> None:
        super().__init__()
        self.config = config
        self.input_shape = tuple(input_shape)
        self.classes = classes
        self.normalise = normalise
        self.tokens = Tokens(config, input_shape[0], config.token_count(input_shape))
        self.blocks = nn.Sequential(*(AttentionBlock(config) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.width)
        self.end = TokenEnd(config.end)
        self.head = nn.Linear(config.width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, K)."""
        if tuple(images.shape[1:]) != self.input_shape:
            raise UserError(
                f"this network reads images of shape (N, {', '.join(map(str, self.input_shape))}), got {tuple(images.shape)}; "
                "resize the images or build the network for their shape."
            )
        tokens = self.norm(self.blocks(self.tokens(self.normalise(images))))
        return self.head(self.end(tokens))  # type: ignore[no-any-return]


def build_vit(
    config: ViT,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    seed: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> ViTNetwork:
    """Build the network that `config` describes, with the initial bits of `seed`.

    Layers draw U(±√(6/(inputs + outputs))) (Glorot & Bengio, 2010), each from a stream of its own; biases are zero.
    """
    if classes < 1:
        raise UserError(f"a ViT needs at least one class, got {classes}.")
    config.token_count(input_shape)
    if len(mean) not in (1, input_shape[0]):
        raise UserError(
            f"mean and std need one number, or one per channel, got {len(mean)} for {input_shape[0]} channels."
        )
    with seeded(seed):  # the constructors draw values, which initialise replaces
        network = ViTNetwork(config, tuple(input_shape), classes, Normalise(mean, std))
    layers = ("attention", "output", "mlp", "mlp output")
    blocks = [f"block {number} {layer}" for number in range(config.depth) for layer in layers]
    initialise(network, seed, "xavier", nonlinearity="linear", streams=["patches", *blocks, "head"])
    stream = torch.Generator().manual_seed(derive_seed(seed, "init", "positions"))
    with torch.no_grad():
        network.tokens.positions.normal_(0.0, POSITION_STD, generator=stream)
    return network
