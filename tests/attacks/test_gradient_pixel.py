import pytest
import torch

from gradlab.attacks import GradientPixel, fgsm, gradient_pixel
from gradlab.types import UserError
from tests.attacks.examples import images, labels_of, linear, margin, small


@pytest.mark.parametrize("pixels", [1, 4])
@pytest.mark.parametrize("eps", [0.1, 1])
def test_on_a_linear_model_no_change_of_so_many_pixels_does_more(pixels, eps):
    """The gain of a pixel is Σ |weight|·room over its channels; the best change takes the largest ones."""
    model, batch = linear(), images(20)
    labels = labels_of(model, batch)
    slope = (model[1].weight[1] - model[1].weight[0]).detach().view(1, 2, 4, 5)
    slope = slope * (1 - 2 * labels).view(-1, 1, 1, 1)
    room = torch.where(slope > 0, 1 - batch, batch).clamp(max=eps)
    gain = (room * slope.abs()).sum(1).flatten(1).sort(1, descending=True).values[:, :pixels].sum(1)
    found = GradientPixel(pixels=pixels, eps=eps)(model, batch, labels)
    torch.testing.assert_close(margin(model, batch, labels) - margin(model, found, labels), gain)
    assert ((found != batch).any(1).flatten(1).sum(1) == pixels).all()


def test_with_all_pixels_it_is_fgsm():
    model, batch = small(), images()
    labels = labels_of(model, batch)
    found = gradient_pixel(model, batch, labels, pixels=99, eps=0.1)
    single = fgsm(model, batch, labels, eps=0.1)
    assert torch.equal(found.images, single.images)
    assert torch.equal(found.iterations, single.iterations)
    assert torch.equal(found.queries, single.queries)


def test_no_pixel_is_refused():
    with pytest.raises(UserError, match="pixels must be at least 1"):
        GradientPixel(pixels=0)
