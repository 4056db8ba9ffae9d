import pytest
import torch
from torch import nn

from gradlab.explain import attention_rollout
from gradlab.models import ViT
from gradlab.types import UserError
from tests.explain.examples import averaging, images


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
