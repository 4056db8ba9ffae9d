import pytest
import torch
from torch import nn

from gradlab.explain import attention_rollout
from gradlab.models import ViT
from gradlab.types import UserError
from tests.explain.examples import averaging, drawn, images


def batch():
    return images(3, (3, 12, 8), dtype=torch.float32)


@pytest.mark.parametrize("end", ["mean", "class-token"])
def test_it_is_the_product_over_blocks_of_half_attention_half_identity(end):
    model = ViT(patch=4, width=8, depth=3, heads=2, end=end).build((3, 12, 8), 4, seed=0)
    tokens, extra = model.tokens(model.normalise(batch())), int(end == "class-token")
    rolled = torch.eye(6 + extra)
    for block in model.blocks:
        attention = block.attention.weights(block.attention_norm(tokens)).mean(1)
        rolled = torch.matmul(0.5 * attention + 0.5 * torch.eye(6 + extra), rolled)
        tokens = block(tokens)
    read = rolled[:, 0, 1:] if extra else rolled.mean(1)
    found = attention_rollout(model, batch(), raw=True)
    torch.testing.assert_close(found, read.detach().unflatten(1, (3, 2)))
    assert (found.sum((1, 2)) <= 1 + 1e-6).all()


class Torch(nn.Module):
    """A block as torchvision builds it, around PyTorch's own attention."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.end = nn.LayerNorm(8)
        self.head = nn.Linear(8, 4)

    def forward(self, batch):
        tokens = self.patches(batch).flatten(2).transpose(1, 2)
        read = self.norm(tokens)
        return self.head(self.end(tokens + self.attention(read, read, read, need_weights=False)[0]).mean(1))


def test_pytorchs_own_attention_gives_the_weights_that_it_uses():
    model = Torch().eval()
    read = model.norm(model.patches(batch()).flatten(2).transpose(1, 2))
    _, weights = model.attention(read, read, read)
    expected = (0.5 * weights + 0.5 * torch.eye(6)).mean(1).detach()
    torch.testing.assert_close(attention_rollout(model, batch(), raw=True), expected.unflatten(1, (3, 2)))


def test_a_network_without_attention_is_told_what_to_take():
    with pytest.raises(UserError, match=r"Sequential has no self-attention over patches .*; take grad_cam"):
        attention_rollout(averaging(), images())


class Biased(nn.Module):
    """A block whose attention has a bias of positions, and a mask."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.patches, self.norm = nn.Conv2d(3, 8, 4, stride=4), nn.LayerNorm(8)
        self.num_heads, self.query, self.key, self.value = (
            2,
            nn.Linear(8, 8),
            nn.Linear(8, 8),
            nn.Linear(8, 8),
        )
        self.bias, self.mixing, self.head = (
            nn.Parameter(torch.zeros(2, 6, 6)),
            nn.Linear(2, 2),
            nn.Linear(8, 4),
        )

    def weights(self, tokens):
        query, key, bias = self.parts(tokens)
        return torch.softmax(query @ key.mT / 2 + bias, -1)

    def parts(self, tokens):
        query, key = (one(tokens).unflatten(2, (2, 4)).transpose(1, 2) for one in (self.query, self.key))
        return query, key, self.bias + torch.full((6, 6), -torch.inf).triu(3)

    def tokens(self, batch):
        return self.norm(self.patches(batch).flatten(2).transpose(1, 2))

    def forward(self, batch):
        tokens = self.tokens(batch)
        value = self.value(tokens).unflatten(2, (2, 4)).transpose(1, 2)
        if self.how == "fused":
            query, key, bias = self.parts(tokens)
            mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        else:
            used = self.weights(tokens)
            used = self.mixing(used.movedim(1, 3)).movedim(3, 1) if self.how == "talking heads" else used
            mixed = torch.einsum("nhst,nhtd->nhsd", used, value) if self.how == "einsum" else used @ value
        return self.head((tokens + mixed.transpose(1, 2).flatten(2)).mean(1))


@pytest.mark.parametrize("how", ["fused", "product", "einsum"])
def test_biases_of_positions_and_masks_are_in_the_attention_that_is_used(how):
    model = drawn(Biased(how), dtype=torch.float32)
    found = attention_rollout(model, batch(), raw=True)
    used = model.weights(model.tokens(batch())).mean(1).detach()
    expected = (0.5 * used + 0.5 * torch.eye(6)).mean(1)
    torch.testing.assert_close(found, expected.unflatten(1, (3, 2)))
    model.bias.data.zero_()
    assert not torch.allclose(attention_rollout(model, batch(), raw=True), found, atol=1e-3)


def test_attentions_that_are_changed_after_the_softmax_are_refused():
    with pytest.raises(UserError, match=r"Biased changes attentions after their softmax, .*; take grad_cam"):
        attention_rollout(drawn(Biased("talking heads"), dtype=torch.float32), batch())


def test_pytorchs_encoder_is_followed_past_its_fast_path():
    class Encoded(Torch):
        def __init__(self):
            super().__init__()
            layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

        def forward(self, batch):
            return self.head(self.encoder(self.patches(batch).flatten(2).transpose(1, 2)).mean(1))

    model = drawn(Encoded(), dtype=torch.float32).eval().requires_grad_(False)
    tokens, rolled = model.patches(batch()).flatten(2).transpose(1, 2), torch.eye(6)
    for layer in model.encoder.layers:
        read = layer.norm1(tokens)
        rolled = (layer.self_attn(read, read, read)[1] + torch.eye(6)) / 2 @ rolled
        tokens = layer(tokens)
    is_fast = torch.backends.mha.get_fastpath_enabled()
    torch.testing.assert_close(
        attention_rollout(model, batch(), raw=True), rolled.mean(1).unflatten(1, (3, 2))
    )
    assert torch.backends.mha.get_fastpath_enabled() == is_fast


class Windowed(Torch):
    """Attention within windows of 2×2 of 4×4 patches, as Swin has it."""

    def forward(self, batch):
        tokens = self.patches(batch).unflatten(2, (2, 2)).unflatten(4, (2, 2)).permute(0, 2, 4, 3, 5, 1)
        read = self.norm(tokens.flatten(3, 4).flatten(0, 2))
        mixed = self.attention(read, read, read)[0].unflatten(0, (len(batch), 4)).flatten(1, 2)
        return self.head(self.end(mixed).mean(1))


def test_attention_within_windows_is_refused():
    model = drawn(Windowed(), dtype=torch.float32)
    sentence = "attention from all tokens to all of them in every block, and Windowed merges or windows them; take grad_cam"
    with pytest.raises(UserError, match=sentence):
        attention_rollout(model, images(2, (3, 16, 16), dtype=torch.float32))


def test_attention_within_windows_that_lie_on_an_axis_of_their_own_is_refused():
    class Nested(Torch):
        def forward(self, batch):
            tokens = self.norm(self.patches(batch).flatten(2).transpose(1, 2)).unflatten(1, (4, 1, 4))
            mixed = torch.softmax(tokens @ tokens.mT, -1) @ tokens
            return self.head(self.end(mixed.flatten(1, 3)).mean(1))

    with pytest.raises(UserError, match="Nested merges or windows them; take grad_cam"):
        attention_rollout(drawn(Nested(), dtype=torch.float32), images(2, (3, 16, 16), dtype=torch.float32))
