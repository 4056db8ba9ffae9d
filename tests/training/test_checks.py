"""What `fit` and the probes refuse at the door, and the sentence they answer with."""

import pickle
from copy import copy, deepcopy

import pytest
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset

from gradlab.data import Dataset, Split, from_tensors, load
from gradlab.models import MLP
from gradlab.training import Patience, Recipe, fit, fit_stacked, gradient_norms

from .examples import CLASSES, SHAPE, blobs

DATA = blobs()
LAST = Recipe(epochs=1, keep="last")


def net(classes=CLASSES, **options):
    return MLP(width=4, **options).build(SHAPE, classes, seed=0)


TEST_IN_DISGUISE = {
    "itself": lambda test: test,
    "slice": lambda test: test[:7],
    "chosen rows": lambda test: test[[3, 1, 2]],
    "mask": lambda test: test[test.labels == 0],
    "slice of a slice": lambda test: test[5:][:3],
    "copy": copy,
    "deepcopy": deepcopy,
    "pickled": lambda test: pickle.loads(pickle.dumps(test)),
    "moved": lambda test: test.to("cpu")[:4],
    "Subset": lambda test: Subset(test, [0, 1]),
    "DataLoader": lambda test: DataLoader(test, batch_size=2),
    "DataLoader of a Subset": lambda test: DataLoader(Subset(test, [0, 1])),
    "ConcatDataset": lambda test: ConcatDataset([DATA.train, test]),
    "TensorDataset": lambda test: TensorDataset(test.images, test.labels),
    "images": lambda test: test.images,
    "pair": lambda test: (test.images[:5], test.labels[:5]),
    "list": lambda test: [test],
}


@pytest.mark.parametrize("disguise", TEST_IN_DISGUISE)
@pytest.mark.parametrize("name", ["blobs", "digits"])
def test_the_test_part_is_refused_by_fit_by_stopping_and_by_probes(disguise, name):
    data = DATA if name == "blobs" else load("digits")
    thing = TEST_IN_DISGUISE[disguise](data.test)
    model = MLP(width=4).build(data.input_shape, data.num_classes, seed=0)
    words = f"trains and selects on train and validation only, got the test split of '{data.name}'; pass the data set"
    with pytest.raises(ValueError, match=f"^fit {words}"):
        fit(model, thing, LAST)
    with pytest.raises(ValueError, match=f"^fit {words}"):
        fit(model, data, Recipe(stopping=Patience()), validation=thing)
    with pytest.raises(ValueError, match=f"^gradient_norms {words}"):
        gradient_norms(model, thing)


def test_the_test_part_cannot_be_renamed():
    with pytest.raises(ValueError, match="cannot become a train split"):
        Split(DATA.test.images, DATA.test.labels, "train")


@pytest.mark.parametrize(
    "thing",
    [
        DATA.train.images,
        (DATA.train.images, DATA.train.labels),
        DataLoader(DATA.train),
        Subset(DATA.train, [0]),
        "mnist",
        None,
    ],
    ids=["tensor", "pair", "loader", "subset", "name", "none"],
)
def test_what_is_no_data_set_is_refused_with_what_to_use(thing):
    with pytest.raises(
        ValueError, match=r"reads a gradlab Dataset or Split, got .*; use gradlab.data.load\(\.\.\.\)"
    ):
        fit(net(), thing, LAST)
    with pytest.raises(
        ValueError, match=r"reads a gradlab Dataset or Split, got .*; use gradlab.data.load\(\.\.\.\)"
    ):
        gradient_norms(net(), thing)
    if thing is not None:
        with pytest.raises(ValueError, match="reads a gradlab Dataset or Split"):
            fit(net(), DATA, LAST, validation=thing)


def test_normalised_images_are_refused_with_the_way_out():
    images = (DATA.train.images / 255 - 0.5) / 0.5
    with pytest.raises(ValueError, match=r"looks normalised; .*gradlab.models.wrap\(module, mean, std\)"):
        from_tensors(images, DATA.train.labels)


def test_missing_parts_are_named():
    only_test = Dataset("only", None, None, DATA.test, DATA.class_names)
    with pytest.raises(ValueError, match="'only' has no training images here; choose data with a train part"):
        fit(net(), only_test, LAST)
    with pytest.raises(ValueError, match="'only' has no training images to probe"):
        gradient_norms(net(), only_test)
    for recipe in (Recipe(), Recipe(keep="last", stopping=Patience())):
        with pytest.raises(ValueError, match=r"need a validation part and there is none; pass validation="):
            fit(net(), DATA.train, recipe)
    with pytest.raises(ValueError, match="a part without images"):
        fit(net(), DATA.train[:0], LAST)
    other = from_tensors(torch.zeros(30, 1, 5, 5), torch.arange(30) % 3)
    with pytest.raises(ValueError, match=r"shape \(1, 4, 4\) and validation images \(1, 5, 5\); resize"):
        fit(net(), DATA.train, Recipe(), validation=other.validation)


class Odd(nn.Module):
    """A small net whose output is changed by a function."""

    def __init__(self, change):
        super().__init__()
        self.change = change
        self.layer = nn.Linear(16, CLASSES)

    def forward(self, images):
        return self.change(self.layer(images.flatten(1)))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (net(5), "returns 5 logits, but the data has 3 classes; give its last layer 3 outputs"),
        (net(2), "returns 2 logits, but the data has 3 classes"),
        (Odd(lambda x: (x, x)), "one tensor of logits .* got tuple; wrap a small module"),
        (Odd(lambda x: {"logits": x}), "one tensor of logits .* got dict"),
        (
            Odd(lambda x: x[:, :, None]),
            r"logits of shape \(N, K\), got \(2, 3, 1\) for 2 images; flatten or pool",
        ),
        (Odd(lambda x: x.mean(0, keepdim=True)), r"got \(1, 3\) for 2 images"),
        (Odd(lambda x: x.detach()), r"carries no gradient; drop torch.no_grad\(\)"),
        (nn.Linear(7, 3), r"cannot read images of shape \(1, 4, 4\) \(PyTorch says: mat1 and mat2"),
        (nn.Sequential(nn.Flatten(), nn.BatchNorm2d(16)), r"cannot read images .* expected 4D input"),
        (nn.Conv2d(3, 3, 1), r"cannot read images of shape \(1, 4, 4\)"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(16, 3).requires_grad_(False)),
            "no trainable parameter; set requires_grad",
        ),
        (nn.AdaptiveAvgPool2d(1), "logits of shape"),
        (lambda x: x, "fit trains a torch.nn.Module, got function"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_model_that_does_not_fit_is_refused_before_the_first_step(model, words):
    with pytest.raises(ValueError, match=words):
        fit(model, DATA, Recipe(epochs=1), progress=False)


def test_a_parameter_that_takes_no_part_in_the_loss_is_named():
    model = Odd(lambda x: x)
    model.fc = nn.Linear(4, 4)
    with pytest.raises(
        ValueError, match=r"parameter 'fc.weight' should train but does not affect the loss \(2 such\)"
    ):
        fit(model, DATA, Recipe(epochs=1), progress=False)
    model.fc.requires_grad_(False)
    assert fit(model, DATA, Recipe(epochs=1), progress=False).status == "finished"


def test_a_split_without_the_last_class_trains_a_model_that_has_it():
    train = DATA.train[DATA.train.labels < 2]
    assert fit(net(), train, LAST, progress=False).status == "finished"
    with pytest.raises(ValueError, match="returns 2 logits, but the data has 3 classes"):
        fit(net(2), train, Recipe(epochs=1), validation=DATA.validation, progress=False)


def test_a_last_batch_of_one_is_refused_where_batch_norm_cannot_train_on_it():
    train = DATA.train[:97]
    recipe = Recipe(epochs=1, batch_size=16, keep="last")
    for model in (net(norm="batch"), nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 3))):
        with pytest.raises(
            ValueError, match=r"97 images in batches of 16 leave a batch of one, .* choose another batch size"
        ):
            fit(model, train, recipe, progress=False)
    for model in (net(), net(norm="layer"), nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 3))):
        assert fit(model, train, recipe, progress=False).status == "finished"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seeds": []}, "one different seed per model, got 2 models"),
        ({"seeds": [1, 1]}, "one different seed per model"),
        (
            {"seeds": [1, 2], "pause_after": 0},
            "pause_after must be an epoch, at least 1, got 0",
        ),
        ({"seeds": [1, 2], "precision": "fp16", "device": "cpu"}, "fp16 on a CPU is unusably slow"),
        ({"seeds": [1, 2], "device": "cuda:99"}, "cuda"),
        ({"seeds": [1, 2], "device": "gpu"}, "unknown device 'gpu'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        fit_stacked([net(), net()], DATA, Recipe(epochs=1), **arguments)


def test_only_our_own_nets_of_one_form_are_stacked():
    with pytest.raises(ValueError, match="one seed at a time"):
        fit_stacked([Odd(lambda x: x), Odd(lambda x: x)], DATA, Recipe(epochs=1), seeds=[0, 1])
    with pytest.raises(ValueError, match="group them first"):
        fit_stacked([net(), net(depth=3)], DATA, Recipe(epochs=1), seeds=[0, 1])
    with pytest.raises(ValueError, match="got 0 models"):
        fit_stacked([], DATA, seeds=[])


def test_nothing_is_written_when_a_door_is_shut(tmp_path):
    with pytest.raises(ValueError, match="logits"):
        fit(net(5), DATA, Recipe(epochs=1), checkpoint=tmp_path / "run.safetensors")
    assert not list(tmp_path.iterdir())
