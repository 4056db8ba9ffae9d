import inspect
import itertools
import json

import pytest

from gradlab.lab.design import dump_design, read_design
from gradlab.lab.measures import MEASURES
from gradlab.studies import STUDIES, build_design
from gradlab.studies.setup import PRESETS, parameters_of
from tests.studies.setups import setup

OTHERS = ("mlp-capacity", "activations", "regularisers", "optimisers", "compare")
SETTINGS = {"residual-mlp": [{"setting": name} for name in ("003", "004", "000", "001")]}
SETTINGS |= {name: [{}] for name in OTHERS}
CASES = [
    (name, preset, data, options)
    for name in STUDIES
    for preset, data, options in itertools.product(PRESETS, ("mnist", "digits"), SETTINGS[name])
]


def design_of(name, preset, data, options):
    return build_design(STUDIES[name], name, setup(preset, data), options)


def test_every_study_is_here_with_every_setting():
    assert tuple(STUDIES) == ("residual-mlp", *OTHERS)
    assert set(SETTINGS) == set(STUDIES)
    assert len(CASES) == 3 * 2 * 9


@pytest.mark.parametrize(("name", "preset", "data", "options"), CASES)
def test_every_study_builds_at_every_preset(name, preset, data, options):
    design = design_of(name, preset, data, options)
    assert design.study == name
    assert design.question.endswith("?")
    assert len(design.arms) >= 2
    assert len(design.claims) >= 1
    assert len({claim.id for claim in design.claims}) == len(design.claims)
    for claim in design.claims:
        assert len({part.label for part in claim.parts}) == len(claim.parts)
        for part in claim.parts:
            assert part.measure in MEASURES
            assert sum(part.contrast.weights.values()) + part.contrast.constant < 1
    for table in design.tables:
        assert set(table.measures) <= set(MEASURES)
    assert len({figure.name for figure in design.figures}) == len(design.figures)
    assert read_design(json.loads(json.dumps(dump_design(design)))) == design


@pytest.mark.parametrize(("name", "preset", "data", "options"), CASES)
def test_every_arm_builds_a_network_of_the_size_that_is_told(name, preset, data, options):
    for arm in design_of(name, preset, data, options).arms:
        assert arm.model.parameter_count(64, 10) > 0
        assert arm.model.describe(64, 10).startswith("stem 64→")


@pytest.mark.parametrize("name", STUDIES)
def test_every_parameter_is_explained(name):
    text = inspect.getdoc(STUDIES[name])
    assert text
    assert text.splitlines()[0].endswith("?")
    for parameter in parameters_of(STUDIES[name]):
        assert f"{parameter}: " in text


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_one_readable_file(name):
    assert len(inspect.getsource(inspect.getmodule(STUDIES[name])).splitlines()) <= 150
