"""What people type: every method maps it as the plain form of it, or says in one sentence what to do."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.explain import EXPLAINERS, GradCAM, faithfulness, grad_cam
from gradlab.types import UserError
from tests.explain.examples import averaging, drawn, images
from tests.explain.test_registry import make, ready

LAYERED = ("cam", "grad-cam", "grad-cam++", "layer-cam", "score-cam", "eigen-cam")


def compiled(model):
    return torch.compile(model, backend="eager")


def compiled_in_place(model):
    model.compile(backend="eager")
    return model


def with_a_compiled_part(model):
    name = [name for name, _ in model.named_children()][1]
    setattr(model, name, compiled(getattr(model, name)))
    return model


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize("how", [compiled, compiled_in_place, with_a_compiled_part, nn.DataParallel])
def test_compiled_and_parallel_networks_have_the_maps_of_the_network_itself(kind, how):
    model, batch = ready(kind, torch.float32, 2)
    expected = make(kind)(model, batch, 1)
    found = make(kind)(how(copy.deepcopy(model)), batch, 1)
    torch.testing.assert_close(
        found, expected, rtol=1e-4, atol=1e-4
    )  # a part without norms folded rounds otherwise


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize(("dtype", "most"), [(torch.float16, 0.05), (torch.bfloat16, 0.3)])
def test_half_precision_gives_the_maps_of_full_precision_up_to_its_rounding(kind, dtype, most):
    model, batch = ready(kind, torch.float32, 2)
    batch = batch.to(dtype).float()
    model = model.to(dtype).float()
    expected = make(kind)(model, batch, 1)
    found = make(kind)(model.to(dtype), batch.to(dtype), 1)
    assert found.dtype == dtype
    if kind not in ("smooth-grad", "occlusion"):  # other noise, and small differences of rounded scores
        assert float((found.float() - expected).abs().mean()) < most / 5
        assert float((found.float() - expected).abs().max()) < most


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": images().numpy()}, "got ndarray; make it one with torch.from_numpy"),
        ({"images": list(images())}, "got list; put images of one size together with torch.stack"),
        ({"images": images() * 255}, "divide grey levels by 255, or give them before normalisation"),
        ({"targets": np.array([0.0] * 6)}, "got torch.float64 of shape"),
        ({"targets": True}, "got torch.bool of shape"),
        ({"targets": [None] * 6}, "or a function of the logits, got "),
        ({"targets": 2**70}, "or a function of the logits, got 11805"),
    ],
)
def test_what_is_no_image_and_no_class_is_refused(kind, change, sentence):
    model, batch = ready(kind)
    given = {"images": batch, "targets": None} | change
    with pytest.raises(UserError, match=sentence) as error:
        make(kind)(model, given["images"], given["targets"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [kind for kind in EXPLAINERS if kind != "attention-rollout"])
def test_images_that_the_network_cannot_read_are_named(kind):
    model, batch = averaging(dtype=torch.float32), images(2, dtype=torch.float32)
    for given, sentence in (
        (batch[:, :1], r"reads images of 3 channels, got images of shape \(1, 12, 10\)"),
        (
            batch.double(),
            r"images are of torch.float64 and the model's weights of torch.float32; give images.to\(",
        ),
        (batch[:, :, :1], r"cannot be run on images of shape \(3, 1, 10\) \(PyTorch says: "),
    ):
        with pytest.raises(UserError, match=sentence):
            make(kind)(model, given)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.uint16, np.uint64])
def test_classes_may_be_an_array(dtype):
    model, batch, classes = averaging(), images(), [0, 1, 2, 3, 0, 1]
    assert torch.equal(
        grad_cam(model, batch, np.array(classes, dtype=dtype)), grad_cam(model, batch, classes)
    )


class Spare(nn.Sequential):
    """A network with a layer that is never called."""

    def __init__(self):
        super().__init__(averaging())
        self.spare = nn.Conv2d(3, 3, 1)

    def forward(self, batch):
        return self[0](batch)


@pytest.mark.parametrize("kind", LAYERED)
def test_a_layer_is_one_of_this_network_by_name_or_the_module_itself(kind):
    model, batch = Spare(), images()
    assert torch.equal(
        make(kind)(model, batch, 1, layer=model[0][5]), make(kind)(model, batch, 1, layer="0.5")
    )
    for layer, sentence in (
        (nn.ReLU(), "got a ReLU that is no layer of this Spare; give one of its own, or its name"),
        ([model[0][5]], r"takes one layer, .* got \[ReLU\(\)\]; explain several layers one after the other"),
        (-1, "takes one layer, its name as in named_modules.. or the module itself, got -1"),
        ("spare", "layer 'spare' is not called when the network runs"),
    ):
        with pytest.raises(UserError, match=sentence):
            make(kind)(model, batch, 1, layer=layer)


class Rows(nn.Module):
    """Rows of the image one after the other, 16 tokens that are no patches."""

    def __init__(self):
        super().__init__()
        self.read, self.norm, self.head = nn.GRU(48, 6, batch_first=True), nn.LayerNorm(6), nn.Linear(6, 4)

    def forward(self, batch):
        return self.head(self.norm(self.read(batch.transpose(1, 2).flatten(2))[0]).mean(1))


class Patches(Rows):
    """Patches of 4×4 pixels, cut out without a convolution."""

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(48, 6)

    def forward(self, batch):
        cut = nn.functional.unfold(batch, 4, stride=4).transpose(1, 2)
        return self.head(self.norm(self.read(cut)).mean(1))


def test_tokens_that_are_rows_are_no_grid_of_patches():
    batch = images(2, (3, 16, 16), dtype=torch.float32)
    assert grad_cam(drawn(Patches(), dtype=torch.float32), batch, raw=True).shape == (2, 4, 4)
    with pytest.raises(UserError, match="Rows has no layer with spatial positions"):
        grad_cam(drawn(Rows(), dtype=torch.float32), batch)


def test_a_judgement_says_what_it_needs():
    model, batch = averaging(), images(2)
    cam = GradCAM(model)
    for given, sentence in (
        (
            (GradCAM(), batch),
            r"called with images alone .* give GradCAM\(model\), or write lambda images: grad_cam",
        ),
        ((grad_cam, batch), "called with images alone"),
        (("grad-cam", batch), "called with images alone"),
        ((GradCAM(averaging()), batch), "explain has another network than the Sequential judged"),
        ((cam, batch, lambda logits: logits[:, 0]), r"got a function; give classes \(N,\)"),
    ):
        with pytest.raises(UserError, match=sentence):
            faithfulness(model, *given)
    with pytest.raises(UserError, match=r"bool of the maps' shape \(2, 12, 10\), got ndarray"):
        faithfulness(model, cam, batch, masks=np.ones((2, 12, 10), bool))
