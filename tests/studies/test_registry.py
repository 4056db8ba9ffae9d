import inspect
import itertools
import json

import pytest

from gradlab.lab import Pick
from gradlab.lab.designing.design import dump_design, read_design
from gradlab.lab.designing.measured import refuse_unmeasured
from gradlab.lab.designing.procedure import walk
from gradlab.lab.records.binding import refuse_test_choice
from gradlab.language.transformer import TextTransformer
from gradlab.models import CNN
from gradlab.procedures import PROCEDURES, PretrainedEncoder
from gradlab.studies import STUDIES, build_design
from gradlab.studies.setup import PRESETS, parameters_of
from tests.studies.setups import ENCODER, setup

OTHERS = (
    *("tour", "mlp-capacity", "activations", "regularisers", "optimisers"),
    *("transfer", "distillation", "networks", "adversarial-training", "compare"),
    *("text-layers", "text-finetuning", "text-ood"),
    *("ood-detection", "odin", "ood-after-adversarial-training", "epochs-and-ood"),
    *("attacks", "fgsm-budget", "targeted-attacks"),
    *("where-it-looks", "attention-under-attack"),
    *("clip-zero-shot", "clip-lora"),
)
SETTINGS = {"residual-mlp": [{"setting": name} for name in ("003", "004", "000", "001")]}
SETTINGS["residual-cnn"] = [{"setting": name} for name in ("scaled", "000", "001", "002", "003", "004")]
SETTINGS |= {name: [{}] for name in OTHERS}
PUBLISHED = PretrainedEncoder(
    config="config.json", weights=("model.safetensors",), tokenizer=("tokenizer.json",)
)
SETTINGS["text-features"] = [{}, {"model": PUBLISHED}]
SETTINGS["text-finetuning"] = SETTINGS["text-ood"] = [
    {"model": ENCODER}
]  # DistilBERT, which the preset full takes, is not everywhere
CASES = [
    (name, preset, data, options)
    for name in STUDIES
    for preset, data, options in itertools.product(PRESETS, ("mnist", "digits"), SETTINGS[name])
    if (name, preset, options) != ("text-features", "full", {})  # which looks for DistilBERT
]


def design_of(name, preset, data, options):
    return build_design(STUDIES[name], name, setup(preset, data), options)


def test_every_study_is_here_with_every_setting():
    assert set(STUDIES) == {"residual-mlp", "residual-cnn", "text-features", *OTHERS} == set(SETTINGS)
    assert len(CASES) == 3 * 2 * 36 - 2


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
            assert sum(part.contrast.weights.values()) + part.contrast.constant < 1
    refuse_unmeasured(design, PROCEDURES)
    assert len({figure.name for figure in design.figures}) == len(design.figures)
    assert len({table.name for table in design.tables}) == len(design.tables)
    assert read_design(json.loads(json.dumps(dump_design(design))), PROCEDURES) == design


@pytest.mark.parametrize(("name", "preset", "data", "options"), CASES)
def test_every_network_is_of_the_size_that_is_told_and_every_choice_is_by_validation(
    name, preset, data, options
):
    design = design_of(name, preset, data, options)
    below = {one for arm in design.arms for one in walk(arm.procedure)}
    models = {one.model for one in below if one.kind in ("train", "text-train", "text-pretrain")}
    assert models or "model" in options or any(one.kind == "clip-pretrain" for one in below)
    for model in models:
        pixels = (1, 8, 8) if isinstance(model, CNN) else 64
        assert model.parameter_count(pixels, 10) > 0
        assert "head" in model.describe(pixels, 10) or isinstance(model, TextTransformer)
    for one in below:
        if isinstance(one, Pick):
            refuse_test_choice(one, PROCEDURES)


def test_studies_share_the_networks_that_they_define_once():
    """A study that attacks and one that scores rest on the same trained network, so that it is trained once."""
    nets = {
        one
        for arm in design_of("tour", "quick", "digits", {}).arms
        for one in walk(arm.procedure)
        if one.kind == "train"
    }
    assert len(nets) == 1


@pytest.mark.parametrize("name", STUDIES)
def test_every_parameter_is_explained(name):
    text = inspect.getdoc(STUDIES[name])
    assert text
    assert text.splitlines()[0].endswith("?")
    for parameter in parameters_of(STUDIES[name]):
        assert f"{parameter}: " in text


LONGER = {"tour": 260, "optimisers": 155}
"""Studies that are yet to be shortened, and the lines that they may have until then."""


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_one_readable_file(name):
    lines = inspect.getsource(inspect.getmodule(STUDIES[name])).splitlines()
    assert len(lines) <= LONGER.get(name, 150)
