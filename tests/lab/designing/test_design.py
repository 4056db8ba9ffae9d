import json
import subprocess
import sys

import pytest

from gradlab.lab import Claim
from gradlab.lab.designing.design import dump_design, name_of, read_design
from gradlab.procedures import PROCEDURES
from gradlab.procedures.train import Custom
from tests.lab import toy
from tests.lab.fakes import arm, claim, design, part, small_design
from tests.pages import ROOT


def test_a_design_survives_its_json():
    whole = small_design(ema=0.9, keep="last")
    assert read_design(json.loads(json.dumps(dump_design(whole))), PROCEDURES) == whole
    whole = toy.small_design()
    assert read_design(json.loads(json.dumps(dump_design(whole))), toy.TOOLBOX.kinds) == whole


def test_a_users_own_module_survives_its_json():
    whole = design((arm("a", Custom(name="mine", digest="0f")),))
    again = read_design(json.loads(json.dumps(dump_design(whole))), PROCEDURES)
    assert again.arms[0].procedure.model == Custom(name="mine", digest="0f")


def test_a_procedure_that_several_arms_share_stands_there_once():
    whole = toy.small_design()
    dumped = dump_design(whole)
    assert len(dumped["procedures"]) == 4
    assert len(whole.arms) == 5
    assert [one["procedure"] for one in dumped["arms"]] == [name_of(one.procedure) for one in whole.arms]
    assert list(whole.procedures) == [one.procedure for one in whole.arms[:4]]


@pytest.mark.slow
def test_names_inside_a_design_are_the_same_in_every_process():
    """Python's own `hash` of a text differs from process to process."""
    code = "from tests.lab.toy import Draw; from gradlab.lab.designing.design import name_of; print(name_of(Draw()))"
    made = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert made == {f"{name_of(toy.Draw())}\n"}


def test_two_arms_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"different names, got \['a', 'a'\]"):
        design((arm("a"), arm("a")))


def test_a_claim_about_an_arm_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"claim C compares arm\(s\) \['b'\]"):
        design((arm("a"),), claim("C", part("a", "b")))
    with pytest.raises(ValueError, match="colour"):
        Claim(id="c", statement="s", parts=(), colour="red")
