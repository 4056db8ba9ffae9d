"""The study of layers: how many sentences its presets read."""

import pytest

from gradlab.studies import STUDIES, Setup, build_design

REVIEWS = {"data": "rotten-tomatoes", "train_images": 8530, "class_count": 2}


@pytest.mark.parametrize(
    ("preset", "where", "data"),
    [
        ("quick", {}, "rotten-tomatoes#2500"),
        ("standard", {}, "rotten-tomatoes"),
        ("quick", {"train_images": 5000}, "rotten-tomatoes"),
        ("quick", {"data": "sst2#3000"}, "sst2#3000"),
        ("quick", {"data": "trec", "class_count": 6}, "trec#833"),
    ],
)
def test_quick_reads_some_sentences_of_each_class_in_every_arm(preset, where, data):
    made = build_design(STUDIES["text-layers"], "text-layers", Setup(preset=preset, **(REVIEWS | where)), {})
    assert {arm.procedure.data for arm in made.arms} == {data}
    assert {arm.factors["data"] for arm in made.arms} == {data}
