import json

import pytest

from gradlab.lab.design import Custom, dump_design, read_design
from tests.lab.fakes import arm, claim, design, part, small_design


def test_a_design_survives_its_json():
    whole = small_design(ema=0.9, keep="last")
    assert read_design(json.loads(json.dumps(dump_design(whole)))) == whole


def test_a_users_own_module_survives_its_json():
    whole = design((arm("a", Custom(name="mine", digest="0f")),))
    assert read_design(json.loads(json.dumps(dump_design(whole)))).arms[0].model == Custom(
        name="mine", digest="0f"
    )


def test_two_arms_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"different names, got \['a', 'a'\]"):
        design((arm("a"), arm("a")))


def test_a_claim_about_an_arm_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"claim C compares arm\(s\) \['b'\]"):
        design((arm("a"),), claim("C", part("a", "b")))
