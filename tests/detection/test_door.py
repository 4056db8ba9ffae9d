"""What newcomers give to `evaluate` by mistake is refused with what to give instead."""

import pytest
import torch

from gradlab.data import from_tensors, from_texts
from gradlab.detection import Energy, MaxLogit
from gradlab.detection._door import check_classes, check_given
from gradlab.types import UserError

DATA = from_tensors(torch.zeros(40, 1, 4, 4, dtype=torch.uint8), torch.arange(40) % 2, name="blanks")
TEXTS = from_texts(["good", "bad"] * 20, [0, 1] * 20, name="words")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("digits", [DATA], [Energy()]), r"such as gradlab.data.load\('digits'\), got str"),
        ((TEXTS, [DATA], [Energy()]), "scores of logits and features take any array"),
        ((DATA, DATA, [Energy()]), r"a single one is \[near\]"),
        ((DATA, "mnist", [Energy()]), "as a list of data sets, or as name -> images, got str"),
        ((DATA, torch.rand(3, 1, 4, 4), [Energy()]), "got Tensor"),
        ((DATA, ["mnist"], [Energy()]), "holds data sets, got str; load it with gradlab.data.load"),
        ((DATA, [torch.rand(3, 1, 4, 4)], [Energy()]), "give images under a name"),
        (
            (DATA, [DATA], Energy()),
            r"a list of configurations, such as \[Energy\(\), KNN\(k=10\)\], got Energy\(",
        ),
        ((DATA, [DATA], [Energy]), "got Energy; gradlab.detection.DETECTORS"),
        ((DATA, [DATA], ["energy"]), "got 'energy'"),
        ((DATA, [DATA], "energy"), "got 'energy'"),
        ((DATA, [DATA], []), "at least one detector"),
        ((DATA, [DATA], [MaxLogit(), MaxLogit()]), "each once"),
    ],
)
def test_what_is_none_of_what_it_takes_is_named(given, sentence):
    with pytest.raises(UserError, match=sentence):
        check_given(*given)


def test_what_it_takes_passes():
    check_given(DATA, {"near": torch.rand(3, 1, 4, 4)}, (Energy(),))
    check_given(DATA, (DATA,), [Energy(), MaxLogit()])
    check_classes(torch.zeros(3, 2), DATA)
    with pytest.raises(UserError, match="the network has 3 outputs, and 'blanks' has 2 classes"):
        check_classes(torch.zeros(3, 3), DATA)
