"""The attacks that studies ask for today are those of the committed results, so that no run is done anew."""

import json
from pathlib import Path

import pytest

from gradlab.lab.designing.design import dump_design
from gradlab.studies.registry import STUDIES
from gradlab.studies.setup import Setup, build_design

RESULTS = Path(__file__).parents[2] / "results"
ATTACKING = (
    "attacks",
    "targeted-attacks",
    "fgsm-budget",
    "adversarial-training",
    "attention-under-attack",
)


def attacks_of(value):
    """The settings of all attacks by steps inside a design, as text."""
    if isinstance(value, dict):
        own = {json.dumps(value, sort_keys=True)} if "stop_at_success" in value else set()
        return own.union(*map(attacks_of, value.values()))
    return set().union(*map(attacks_of, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("study", ATTACKING)
def test_the_committed_study_asks_for_the_same_attacks(study):
    written = json.loads((RESULTS / f"{study}-cifar10-standard" / "results.json").read_text())
    asked = written["asked"]
    fresh = dump_design(build_design(STUDIES[study], study, Setup(**asked["setup"]), asked["parameters"]))
    found = attacks_of(json.loads(json.dumps(fresh)))
    assert found == attacks_of(written["design"])
    assert found
