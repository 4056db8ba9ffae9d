import copy
import pickle

import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset, random_split

from gradlab.data import from_tensors, load, refuse_test
from gradlab.types import UserError


@pytest.fixture(scope="module")
def data():
    return load("digits")


DISGUISES = {
    "itself": lambda s: s,
    "slice": lambda s: s[:5],
    "rows": lambda s: s[torch.tensor([1, 2])],
    "mask": lambda s: s[s.labels == 3],
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "pickled": lambda s: pickle.loads(pickle.dumps(s)),
    "moved": lambda s: s.to("meta"),
    "list": lambda s: [s],
    "dictionary": lambda s: {"x": s},
    "subset": lambda s: Subset(s, [0, 1]),
    "subset of a subset": lambda s: Subset(Subset(s, [0, 1]), [0]),
    "random split": lambda s: random_split(s, [0.5, 0.5])[0],
    "loader": lambda s: DataLoader(s, batch_size=4),
    "loader of a subset": lambda s: DataLoader(Subset(s, [0]), batch_size=4),
    "tensor data set": lambda s: TensorDataset(s.images, s.labels),
    "loader of slices": lambda s: DataLoader(TensorDataset(s.images[:9], s.labels[:9])),
    "tensors": lambda s: (s.images, s.labels),
    "copied tensor": lambda s: copy.deepcopy(s.images),
    "view": lambda s: s.images[:5].flatten(1),
    "one image": lambda s: s[0],
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_test_images_are_refused_in_every_disguise(data, disguise):
    with pytest.raises(
        UserError, match=r"^fit trains and selects on train and validation only, got the test split of"
    ):
        refuse_test(DISGUISES[disguise](data.test), "fit")


@pytest.mark.parametrize("disguise", DISGUISES)
def test_train_and_validation_images_pass_in_every_disguise(data, disguise):
    for split in (data.train, data.validation):
        refuse_test(DISGUISES[disguise](split), "fit")


def test_there_are_twenty_one_disguises():
    assert len(DISGUISES) == 21


def test_test_images_among_others_are_found(data):
    with pytest.raises(UserError, match="'digits'"):
        refuse_test(ConcatDataset([data.train, data.test]), "early stopping")


@pytest.mark.parametrize("thing", [None, "digits", 3, [1, 2], torch.zeros(3)])
def test_what_holds_no_images_passes(thing):
    refuse_test(thing, "fit")


def test_a_data_set_passes_since_its_train_and_validation_parts_are_taken(data):
    refuse_test(data, "fit")


def test_a_structure_that_holds_itself_ends():
    loop = []
    loop.append(loop)
    refuse_test(loop, "fit")


def test_the_sentence_says_who_asks_and_what_to_pass(data):
    with pytest.raises(UserError) as raised:
        refuse_test(data.test, "The probe")
    assert str(raised.value) == (
        "The probe trains and selects on train and validation only, got the test split of 'digits'; pass the data set "
        "itself (its train and validation part are taken) or its train part."
    )


def test_tensors_given_as_test_are_marked_and_others_are_not():
    images, labels = torch.randint(0, 256, (40, 1, 2, 2), dtype=torch.uint8), torch.arange(40) % 2
    held_out = images[30:]
    data = from_tensors(images[:30], labels[:30], test=(held_out, labels[30:]))
    refuse_test(images, "fit")
    refuse_test(data.train.images, "fit")
    with pytest.raises(UserError, match="test split of 'tensors'"):
        refuse_test(data.test.images, "fit")
