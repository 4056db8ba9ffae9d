"""A table of detectors and sets against numbers by hand, and mistakes that are refused or flagged."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradlab.data import Split, from_tensors, load
from gradlab.data.splits import Origin
from gradlab.detection import (
    GEN,
    KNN,
    ODIN,
    STANDARD,
    AutoEncoder,
    GradNorm,
    MaxLogit,
    MaxSoftmax,
    ReAct,
    Reconstruction,
    Tuned,
    ViM,
    energy,
    evaluate,
    reconstruction_error,
)
from gradlab.detection.evaluate import tuning_images
from gradlab.metrics import aupr_out, auroc, fpr_at_tpr
from gradlab.models import CNN, wrap
from gradlab.training import Recipe, fit, outputs
from gradlab.types import UserError


@pytest.fixture(scope="module")
def known():
    return load("digits[0-7]")


@pytest.fixture(scope="module")
def near():
    return load("digits[8,9]")


@pytest.fixture(scope="module")
def net(known):
    start = CNN(widths=(8, 16)).build(known.input_shape, 8, seed=0, mean=known.mean, std=known.std)
    return fit(
        start, known, Recipe(epochs=4, batch_size=32, learning_rate=3e-3), device="cpu", progress=False
    ).model


@pytest.fixture(scope="module")
def table(net, known, near):
    return evaluate(net, known, [near, load("photos@8:grey")], (*STANDARD, ODIN(temperature=10)))


def test_every_detector_is_measured_on_every_set(table, net, known, near):
    assert len(table.rows) == (len(STANDARD) + 1) * 2
    assert table.accuracy == pytest.approx(
        float((outputs(net, known.test).logits.argmax(1) == known.test.labels).double().mean())
    )
    inside, outside = (energy(outputs(net, one.test).logits) for one in (known, near))
    row = table["energy", "digits[8,9]"]
    pairs = (outside[:, None] > inside) + 0.5 * (outside[:, None] == inside)
    assert row.auroc == pytest.approx(pairs.mean(), abs=1e-12)
    assert row.low < row.auroc < row.high
    assert (
        row.fpr95_in
        == fpr_at_tpr(inside, outside)
        == pytest.approx((outside <= np.sort(inside)[int(np.ceil(0.95 * len(inside))) - 1]).mean())
    )
    assert row.fpr95_out == pytest.approx(
        (inside >= np.sort(outside)[::-1][int(np.ceil(0.95 * len(outside))) - 1]).mean()
    )
    assert row.aupr_out == aupr_out(inside, outside) != row.aupr_out_balanced
    assert (row.known, row.foreign) == (len(inside), len(outside))


def test_fitted_detectors_see_training_features_alone(table, net, known, near):
    bank = outputs(net, known.train).features
    inside, outside = (KNN().fit(bank).score(outputs(net, one.test).features) for one in (known, near))
    assert table["knn", "digits[8,9]"].auroc == auroc(inside, outside)


def test_the_table_is_readable_as_text_html_frame_and_json(table):
    text = str(table)
    assert text.splitlines()[0].split()[:3] == ["detector", "set", "AUROC"]
    assert "in-distribution accuracy" in text
    assert "<table>" in table._repr_html_()
    assert "OpenOOD" in table._repr_html_()
    assert len(table.frame) == len(table.rows)
    assert json.loads(json.dumps(table.as_record()))["accuracy"] == table.accuracy


def test_an_autoencoder_is_judged_beside_the_network(net, known, near):
    network = AutoEncoder(code=4, widths=(4,)).build(known.input_shape, seed=0)
    found = evaluate(net, known, [near], [Reconstruction(), MaxLogit()], autoencoder=network)
    inside, outside = (reconstruction_error(network, one.test) for one in (known, near))
    assert found["reconstruction", "digits[8,9]"].auroc == auroc(inside, outside)
    with pytest.raises(UserError, match="reconstruction needs a trained auto-encoder"):
        evaluate(net, known, [near], [Reconstruction()])


GRID = Tuned(among=tuple(KNN(k=k) for k in (1, 5, 200)))


def test_tuning_takes_the_best_on_validation_images_alone(net, known, near):
    other = load("digits[3-6]")
    other = from_tensors(255 - other.train.images, other.train.labels, name="negatives")
    found = evaluate(net, known, [near], [GRID, KNN()], tune_on=other)
    bank, inside, outside = (
        outputs(net, one).features for one in (known.train, known.validation, other.train)
    )
    by_hand = [
        auroc(KNN(k=k).fit(bank).score(inside), KNN(k=k).fit(bank).score(outside)) for k in (1, 5, 200)
    ]
    assert found.chosen == {"knn, tuned": f"k {(1, 5, 200)[int(np.argmax(by_hand))]}"}
    assert "chosen on negatives" in str(found)
    assert "chosen on means and jigsaws" in str(evaluate(net, known, [near], [GRID]))


def test_foreign_images_to_tune_on_are_training_ones_else_validation_ones(known):
    """No network was trained on either; test images never are."""
    other = from_tensors(
        255 - known.train.images,
        known.train.labels,
        validation=(known.validation.images, known.validation.labels),
    )
    inside, outside = tuning_images(known, other, [])
    assert inside is known.validation
    assert outside is other.train
    assert tuning_images(known, replace(other, train=None), [])[1] is other.validation
    with pytest.raises(UserError, match="has test images alone"):
        tuning_images(known, replace(other, train=None, validation=None), [])


# --- planted mistakes ---


def test_misspelt_class_names_are_refused():
    with pytest.raises(UserError, match="has no class 'nein'"):
        load("digits[eight,nein]" if "eight" in load("digits").class_names else "digits[8,nein]")


def test_test_images_cannot_tune(net, known, near):
    with pytest.raises(UserError, match="has test images alone, and nothing is tuned on test images"):
        evaluate(net, known, [near], [GRID], tune_on=load("photos@8:grey"))
    with pytest.raises(UserError, match="comes from the same source"):
        evaluate(net, known, [near], [GRID], tune_on=load("digits[9]"))
    with pytest.raises(
        UserError, match="comes from the same source"
    ):  # whatever the set is called in the table
        evaluate(net, known, {"near": near}, [GRID], tune_on=load("digits[9]"))
    with pytest.raises(UserError, match="cannot become a validation split"):
        Split(near.test.images, near.test.labels, "validation", Origin("mine", "validation"))


class Swapped:
    """A detector whose sign is wrong."""

    kind, needs, fits = "swapped", ("logits",), ()

    def score(self, logits):
        return -MaxSoftmax().score(logits)


def test_a_swapped_sign_is_flagged(net, known, near):
    found = evaluate(net, known, [near], [Swapped()])
    assert any("swapped on digits[8,9] is worse than chance" in flag for flag in found.flags)


def test_noise_alone_is_flagged_and_beside_real_images_it_is_not(net, known, near):
    noise = load("noise@8:grey")
    said = "noise is the only foreign set"
    assert any(said in flag for flag in evaluate(net, known, [noise], [GEN()]).flags)
    assert not any(said in flag for flag in evaluate(net, known, [noise, near], [GEN()]).flags)


def test_another_normalisation_is_refused_or_flagged(net, known, near):
    normalised = (near.test.images / 255 - 0.5) / 0.5
    with pytest.raises(UserError, match="before normalisation"):
        evaluate(net, known, {"near": normalised}, [MaxLogit()])
    squeezed = (
        near.test.images / 255 - 0.5
    ) / 4 + 0.5  # back in [0, 1], but not what the network was trained on
    assert any(
        "pixels alone" in flag for flag in evaluate(net, known, {"near": squeezed}, [MaxLogit()]).flags
    )
    inner = CNN(widths=(8,)).build(known.input_shape, 8, seed=0)
    wrapped = wrap(inner, (0.5,), (0.5,))
    flags = " ".join(evaluate(wrapped, known, [near], [MaxLogit()]).flags)
    assert "normalises with mean (0.50) and deviation (0.50)" in flags
    assert "hardly knows its own classes" in flags


def test_another_resampling_of_the_foreign_set_is_flagged_and_another_shape_refused(net, known, near):
    small = near.test.images[:, :, ::2, ::2]
    repeated = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    flags = evaluate(net, known, {"near": repeated}, [MaxLogit()]).flags
    assert any("flatness of the pixels alone" in flag for flag in flags)
    with pytest.raises(
        UserError, match=r"images of 'photos' are 3×32×32 .* derive it, such as photos@8:grey"
    ):
        evaluate(net, known, [load("photos")], [MaxLogit()])


def test_a_network_that_returns_probabilities_or_names_other_classes_is_found(net, known, near):
    softmax = torch.nn.Sequential(net, torch.nn.Softmax(1))
    assert any(
        "returns probabilities" in flag for flag in evaluate(softmax, known, [near], [MaxLogit()]).flags
    )
    logarithms = torch.nn.Sequential(net, torch.nn.LogSoftmax(1))
    said = evaluate(logarithms, known, [near], [MaxLogit()]).flags
    assert any("returns log-probabilities" in flag for flag in said)
    with pytest.raises(UserError, match="the network has 8 outputs, and 'digits' has 10 classes"):
        evaluate(net, load("digits"), [load("photos@8:grey")], [MaxLogit()])


def test_classes_that_overlap_in_meaning_are_named(net, known):
    found = evaluate(net, known, [load("digits[7-9]")], [MaxLogit()])
    assert any("7 (7) overlap in meaning" in flag for flag in found.flags)


@pytest.mark.parametrize(
    ("outside", "detectors", "sentence"),
    [
        ({}, [MaxLogit()], "at least one foreign set"),
        ({"a": 3}, [MaxLogit()], "must be a data set, a part of one, or images, got int"),
        ({"a": torch.rand(3, 1, 8, 8)}, [MaxLogit(), MaxLogit()], "each once"),
        ({"a": torch.rand(3, 1, 8, 8)}, [], "at least one detector"),
    ],
)
def test_what_cannot_be_measured_is_refused(net, known, outside, detectors, sentence):
    with pytest.raises(UserError, match=sentence):
        evaluate(net, known, outside, detectors)
    with pytest.raises(UserError, match="the in-distribution data themselves"):
        evaluate(net, known, [known], [MaxLogit()])


def test_tuning_on_what_the_network_knows_or_on_images_that_are_reported_is_refused(net, known):
    photos = load("photos@8:grey")
    with pytest.raises(UserError, match="same source"):
        tuning_images(known, load("digits[0-5]"), [])
    digits = load("digits")
    other = from_tensors(255 - digits.test.images, digits.test.labels, name="mnist")
    with pytest.raises(UserError, match="mean the same as known ones"):
        tuning_images(known, other, [])
    same = from_tensors(photos.test.images.clone(), photos.test.labels.clamp(max=1), name="mine")
    with pytest.raises(UserError, match="of the images that detectors are tuned on are also in 'far'"):
        evaluate(net, known, {"far": photos.test.images / 255}, [GRID], tune_on=same)


def test_what_tensors_and_parts_hold_is_said_whatever_they_are_called(net, known, near):
    noise = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert any(
        "noise is the only foreign set" in one
        for one in evaluate(net, known, {"a@b": noise}, [MaxLogit()]).flags
    )
    found = evaluate(
        net, known, {"mine": known.test.images[:20] / 255, "part": load("digits[7-9]").test}, [MaxLogit()]
    )
    assert "mine: 20 of its images are also in 'digits[0-7]', which the network knows" in found.flags
    assert any("part: 7 (7) overlap in meaning" in one for one in found.flags)
    assert (
        evaluate(net, known, {"part": near.test}, [MaxLogit()]).flags
        == evaluate(net, known, {"part": near}, [MaxLogit()]).flags
    )


class WithSecondHead(torch.nn.Module):
    """A network with a linear layer that is registered after its head, and gives no logits."""

    def __init__(self, net):
        super().__init__()
        self.net, self.second = net, torch.nn.Linear(8, 8)

    def forward(self, images):
        logits = self.net(images)
        return logits + 0 * self.second(logits)


def test_a_head_that_does_not_give_the_logits_is_refused_where_it_is_applied(net, known, near):
    odd = WithSecondHead(net)
    for detector in (ReAct(), ViM(), GradNorm()):
        with pytest.raises(UserError, match=f"{detector.kind} applies the network's last linear layer"):
            evaluate(odd, known, [near], [MaxLogit(), detector])
    assert evaluate(odd, known, [near], [MaxLogit()]).rows == evaluate(net, known, [near], [MaxLogit()]).rows
    layer = next(name for name, _ in net.named_modules() if name)
    with pytest.raises(UserError, match="leave out `layer`"):
        evaluate(net, known, [near], [ViM()], layer=layer)


class Writing(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        return self.net(images.mul_(0.5))


def test_a_network_that_writes_to_its_images_leaves_those_of_the_user(net, known, near):
    images = near.test.images / 255
    kept = images.clone()
    detectors = [MaxLogit(), KNN(), ODIN(temperature=10)]
    tables = [evaluate(Writing(net), known, {"near": images}, detectors).rows for _ in range(2)]
    assert torch.equal(images, kept)
    assert tables[0] == tables[1]


class Returning(torch.nn.Module):
    def __init__(self, net, change):
        super().__init__()
        self.net, self.change = net, change

    def forward(self, images):
        return self.change(self.net(images))


@pytest.mark.parametrize("detector", [MaxLogit(), KNN()])
@pytest.mark.parametrize("change", [lambda one: (one, one), lambda one: one.argmax(1)])
def test_a_network_that_returns_no_logits_is_refused(net, known, near, detector, change):
    with pytest.raises(UserError, match=r"Returning returns .*logits .*wrap a module that picks them out"):
        evaluate(Returning(net, change), known, {"near": near.test.images}, [detector])


def test_scores_of_logits_need_no_linear_layer(known, near):
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 8), torch.nn.Flatten())
    tensors, parts = (
        evaluate(network, known, {"near": one}, [MaxLogit()]) for one in (near.test.images, near)
    )
    assert tensors.rows == parts.rows


@pytest.mark.parametrize("name", ["", " ", 3])
def test_a_set_without_a_name_is_refused(net, known, near, name):
    with pytest.raises(UserError, match="foreign sets go by a name"):
        evaluate(net, known, {name: near}, [MaxLogit()])
