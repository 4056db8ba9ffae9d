from gradlab.data import DATASETS
from gradlab.data.registry import normalise


def test_there_are_eighteen_named_data_sets():
    assert list(DATASETS) == [
        "digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "cifar100-coarse", "imagenette",
        "tiny-imagenet", "textures", "photos", "planted", "coloured-digits", "noise", "gaussian-noise",
        "rotten-tomatoes", "sst2", "trec", "subj",
    ]  # fmt: skip


def test_names_are_in_the_spelling_that_lookup_uses_and_class_names_are_distinct():
    for name, entry in DATASETS.items():
        assert normalise(name) == name
        assert len(set(entry.class_names)) == len(entry.class_names)


def test_class_counts_are_the_published_ones():
    counts = {name: len(entry.class_names) for name, entry in DATASETS.items()}
    assert counts == {
        "digits": 10, "mnist": 10, "fashion-mnist": 10, "cifar10": 10, "cifar100": 100, "cifar100-coarse": 20,
        "imagenette": 10, "tiny-imagenet": 200, "textures": 10, "photos": 2, "planted": 4, "coloured-digits": 40, "noise": 1,
        "gaussian-noise": 1, "rotten-tomatoes": 2, "sst2": 2, "trec": 6, "subj": 2,
    }  # fmt: skip


def test_alphabetical_class_lists_are_alphabetical():
    for name in ("cifar10", "cifar100", "cifar100-coarse"):
        assert list(DATASETS[name].class_names) == sorted(DATASETS[name].class_names)
