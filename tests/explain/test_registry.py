"""The battery that every registered method passes."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import pytest
import torch
from pydantic import Field, TypeAdapter, ValidationError
from torch import nn

from gradlab.explain import EXPLAINERS, AttentionRollout, Explanation, GradCAM
from gradlab.models import ViT
from gradlab.types import UserError
from tests.explain.examples import averaging, generator, images, snapshot

FEW = {"smooth-grad": {"samples": 3}, "integrated-gradients": {"steps": 5}, "score-cam": {"budget": 4}}
"""Settings with which each is quick."""
UNCLASSED = ("eigen-cam", "attention-rollout")
GRADIENTS = ("grad-cam", "grad-cam++", "layer-cam", "saliency", "smooth-grad", "integrated-gradients")


def make(kind, **fields):
    return EXPLAINERS[kind](**FEW.get(kind, {}), **fields)


def ready(kind, dtype=torch.float64, count=6):
    if kind == "attention-rollout":
        model = ViT(patch=4, width=8, depth=2, heads=2).build((3, 12, 8), 4, seed=0).to(dtype)
        return model.train(), images(count, (3, 12, 8), dtype=dtype)
    return averaging(dtype=dtype), images(count, dtype=dtype)


def test_eleven_methods_are_found():
    assert len(EXPLAINERS) == 11
    assert all(EXPLAINERS[kind]().kind == kind for kind in EXPLAINERS)


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_the_union_reads_each_from_its_fields(kind):
    adapter = TypeAdapter(Annotated[Explanation, Field(discriminator="kind")])
    config = make(kind)
    assert adapter.validate_json(adapter.dump_json(config)) == config
    with pytest.raises(ValidationError, match="nonsense"):
        adapter.validate_python({"kind": kind, "nonsense": 1})


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_maps_have_the_images_size_and_type_and_span_0_to_1(kind, dtype):
    model, batch = ready(kind, dtype)
    found = make(kind)(model, batch, torch.arange(6) % 4)
    assert (found.shape, found.dtype, found.device) == ((6, *batch.shape[2:]), dtype, batch.device)
    assert not found.requires_grad
    for one in found:
        assert (float(one.min()), float(one.max())) in ((0, 1), (0, 0))
    assert float(found.amax((1, 2)).mean()) > 0.3


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_target_is_none_a_class_one_for_each_or_a_function(kind):
    model, batch = ready(kind)
    method = make(kind)
    classes = torch.arange(6) % 4
    each = method(model, batch, classes)
    assert torch.equal(each, method(model, batch, classes.tolist()))
    assert torch.equal(method(model, batch, 2), method(model, batch, [2] * 6))
    model.eval()
    assert torch.equal(method(model, batch), method(model, batch, model(batch).argmax(1)))
    assert torch.equal(method(model, batch, 0), method(model, batch, 3)) == (kind in UNCLASSED)
    if kind != "cam":
        by_function = method(model, batch, lambda logits: logits[:, 2])
        assert torch.equal(by_function, method(model, batch, 2))


@pytest.mark.parametrize("kind", [kind for kind in EXPLAINERS if kind != "smooth-grad"])
def test_a_batch_of_one_is_its_row_in_a_batch(kind):
    model, batch = ready(kind)
    together = make(kind)(model, batch, 1)
    for row in (0, 5):
        torch.testing.assert_close(make(kind)(model, batch[row : row + 1], 1)[0], together[row])


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_the_same_seed_gives_the_same_bits_and_nothing_global_moves(kind):
    model, batch = ready(kind)
    state, kept = torch.get_rng_state(), batch.clone()
    first, second, other = (make(kind)(model, batch, 1, generator=generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, second)
    assert torch.equal(first, other) != make(kind).is_random
    assert torch.equal(batch, kept)
    assert torch.equal(torch.get_rng_state(), state)


class Faulty(nn.Module):
    def forward(self, _logits):
        raise RuntimeError("a fault of its own")


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize("raises", [False, True])
def test_the_model_is_left_as_found_also_when_it_raises(kind, raises):
    model, batch = ready(kind)
    next(iter(model.parameters())).requires_grad_(False)
    list(model.parameters())[-1].grad = torch.ones_like(list(model.parameters())[-1])
    if raises:
        model = nn.Sequential(model, Faulty())
    before = snapshot(model)
    with torch.no_grad():
        if raises:
            with pytest.raises(RuntimeError, match="a fault of its own"):
                make(kind)(model, batch)
        else:
            make(kind)(model, batch)
        assert not torch.is_grad_enabled()
    assert str(snapshot(model)) == str(before)
    assert not batch.requires_grad


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_it_works_in_inference_mode_and_with_all_weights_frozen(kind):
    model, batch = ready(kind)
    expected = make(kind)(model, batch, 1)
    model.requires_grad_(False)
    with torch.inference_mode():
        found = make(kind)(model, batch * 1, 1)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": images() * 4 - 2}, "before normalisation, and let the model normalise with gradlab.models.wrap"),
        ({"images": images() * torch.nan}, r"must lie in \[0, 1\], got nan"),
        ({"images": (images() * 255).long()}, "got torch.int64; divide grey levels by 255"),
        ({"images": images()[0]}, r"shape \(N, C, H, W\) with N at least 1, got \(3, 12, 10\); add the batch"),
        ({"images": images()[:0]}, r"with N at least 1, got \(0, 3, 12, 10\)"),
        ({"targets": 4}, r"targets must lie in \[0, 4\), the model's classes, got 4"),
        ({"targets": [0, 1, 2, 3, 0, -1]}, "got -1"),
        ({"targets": [0, 1]}, r"6 of them \(one for each image\) or a function of the logits, got torch.int64 of shape \(2,\)"),
        ({"targets": 0.5}, "got torch.float32"),
        ({"targets": "cat"}, "targets are None"),
        ({"model": "resnet"}, "needs a torch.nn.Module, got str"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_refused_in_a_sentence(kind, change, sentence):
    model, batch = ready(kind)
    if "images" in change and kind == "attention-rollout" and change["images"].shape[1:] == batch.shape[1:]:
        pytest.skip("its images have another size")
    given = {"model": model, "images": batch, "targets": None} | change
    with pytest.raises(UserError, match=sentence) as error:
        make(kind)(given["model"], given["images"], given["targets"])
    assert "\n" not in str(error.value)


class Pair(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, batch):
        return self.inner(batch), None


class Blind(Pair):
    @torch.no_grad()
    def forward(self, batch):
        return self.inner(batch.detach())


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_model_that_returns_a_tuple_or_nan_or_no_row_an_image_is_refused(kind):
    model, batch = ready(kind)
    with pytest.raises(
        UserError, match=r"one tensor of logits .* got tuple; wrap a small module that picks the logits out"
    ):
        make(kind)(Pair(model), batch)
    with pytest.raises(UserError, match=r"logits of shape \(\d, K\), got"):
        make(kind)(nn.Sequential(model, nn.Flatten(0)), batch)
    list(model.parameters())[-1].data[0] = torch.nan
    with pytest.raises(UserError, match="returns NaN for these images"):
        make(kind)(model, batch)


class Timed(Pair):
    def forward(self, batch, time):
        return self.inner(batch) * time


class InPlace(Pair):
    def forward(self, batch):
        return self.inner(batch.sub_(0.25))


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_model_that_needs_more_than_images_is_told_to_be_wrapped(kind):
    model, batch = ready(kind)
    with pytest.raises(
        UserError, match=r"Timed.forward cannot be called with images alone \(.*'time'\); wrap a small"
    ):
        make(kind)(Timed(model), batch)


@pytest.mark.parametrize("kind", [kind for kind in EXPLAINERS if kind != "cam"])
def test_a_model_that_changes_its_input_in_place_changes_no_image(kind):
    model, batch = ready(kind)
    kept = batch.clone()
    found = make(kind)(InPlace(model), batch, 1)
    assert torch.equal(batch, kept)
    if kind in ("grad-cam", "saliency"):
        shifted = nn.Sequential(Shift(), model)
        torch.testing.assert_close(found, make(kind)(shifted, batch, 1))


class Shift(nn.Module):
    def forward(self, batch):
        return batch - 0.25


class Alone(Pair):
    """A model that notices whether two threads run it at once."""

    inside = most = 0

    def forward(self, batch):
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)
        found = self.inner(batch)
        self.inside -= 1
        return found


def test_threads_that_share_a_network_take_turns():
    model, batch = Alone(averaging()), images()
    before, kinds = snapshot(model), ("grad-cam", "occlusion", "saliency", "eigen-cam")
    expected = {kind: make(kind)(model, batch, 1) for kind in kinds}
    with ThreadPoolExecutor(4) as threads:
        found = dict(zip(kinds, threads.map(lambda kind: make(kind)(model, batch, 1), kinds), strict=True))
    assert all(torch.equal(found[kind], expected[kind]) for kind in kinds)
    assert model.most == 1
    assert str(snapshot(model)) == str(before)


@pytest.mark.parametrize("kind", ["saliency", "smooth-grad", "integrated-gradients"])
def test_a_model_under_no_grad_is_told_what_to_do(kind):
    model, batch = ready(kind)
    with pytest.raises(UserError, match="no gradient comes through this model: it computes under"):
        make(kind)(Blind(model), batch)


@pytest.mark.parametrize("kind", ["grad-cam", "grad-cam++", "layer-cam", "score-cam", "eigen-cam"])
def test_where_the_graph_begins_at_the_layer_a_model_under_no_grad_is_explained_all_the_same(kind):
    model, batch = ready(kind)
    expected = make(kind)(model, batch, 1)
    assert torch.equal(make(kind)(Blind(model), batch, 1), expected)


@pytest.mark.parametrize("kind", ["grad-cam", "score-cam", "saliency", "smooth-grad", "occlusion"])
def test_a_function_that_gives_no_number_for_each_image_is_refused(kind):
    model, batch = ready(kind)
    with pytest.raises(UserError, match=r"must return one number for each image, shape \(\d+,\), got"):
        make(kind)(model, batch, lambda logits: logits)


def test_a_method_with_its_network_finds_its_layer_once():
    model, batch = averaging(), images()
    with GradCAM(model) as cam:
        first = cam(batch, 1)
        assert torch.equal(cam(batch[:2], [1, 1]), first[:2])
    assert torch.equal(first, GradCAM()(model, batch, 1))
    assert torch.equal(GradCAM(model, layer="2")(batch, 1), GradCAM(layer="2")(model, batch, 1))
    assert repr(cam) == "GradCAM(kind='grad-cam', layer=None) of Sequential"
    assert str(snapshot(model)["hooks"]) == str(snapshot(averaging())["hooks"])


def test_settings_are_checked_where_they_are_given():
    with pytest.raises(UserError, match="budget must be at least 1"):
        EXPLAINERS["score-cam"](budget=0)
    with pytest.raises(UserError, match="there is no setting 'layr'; did you mean 'layer'"):
        GradCAM(layr="a")
    with pytest.raises(UserError, match="there is no setting"):
        AttentionRollout(layer="a")
