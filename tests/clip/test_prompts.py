import pytest

from gradlab.clip.prompts import GROUPS, TEMPLATES, described, prompts_of, spoken
from gradlab.data import DATASETS
from gradlab.types import UserError


def test_groups_are_those_of_cifar100():
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted(map(spoken, DATASETS["cifar100"].class_names))
    assert len(GROUPS) == 20
    assert {len(group) for group in GROUPS.values()} == {5}


def test_a_class_is_written_as_people_say_it_and_with_its_group_where_that_is_known():
    assert spoken("aquarium_fish") == "aquarium fish"
    assert described("aquarium_fish") == "aquarium fish, a type of fish"
    assert described("red_three") == "red three"


def test_prompts_are_one_a_template():
    assert prompts_of(["cat", "dog"], ["{}", "a {}."]) == [["cat", "a cat."], ["dog", "a dog."]]
    assert [len(one) for one in TEMPLATES.values()] == [1, 1, 8]


@pytest.mark.parametrize(
    ("names", "templates", "said"),
    [
        ([], ["{}"], "at least one of each"),
        ("cat", ["{}"], "list of class names"),
        (["cat"], [], "at least one of each"),
        (["cat", "dog", "cat"], ["{}"], "'cat' is named twice"),
        (["cat"], ["a photo"], "'a photo of a {}.'"),
        (["cat"], ["{} {}"], "for the class name exactly once"),
        (["cat"], ["{name}"], "for the class name exactly once"),
        (["cat"], ["{} }"], "for the class name exactly once"),
        (["cat", " cat "], ["{}"], "'cat' is named twice"),
        (["cat", " "], ["{}"], "all of them texts and none empty"),
        ([1, 2], ["{}"], "all of them texts and none empty"),
    ],
)
def test_what_makes_no_prompt_is_refused(names, templates, said):
    with pytest.raises(UserError, match=said):
        prompts_of(names, templates)
