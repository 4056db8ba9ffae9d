"""The study of fine-tuning on texts: one encoder and budget for all arms, published rates, and on real sentences its numbers."""

import re
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import gradlab
from gradlab.data import load
from gradlab.procedures import ExplainTexts, TextFineTune, TextPretrain
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._text_finetuning_arms import POLICIES
from tests.studies.setups import ENCODER

REVIEWS = Setup(preset="standard", data="rotten-tomatoes", train_images=8530, class_count=2, image_size=0)


def design(preset="standard", data="rotten-tomatoes", **parameters):
    where = replace(REVIEWS, preset=preset, data=data)
    return build_design(STUDIES["text-finetuning"], "text-finetuning", where, parameters)


def test_all_arms_start_from_one_encoder_and_train_at_one_budget():
    made = design()
    runs = {arm.name: arm.procedure for arm in made.arms}
    features, words = runs.pop("svm").net, runs.pop("words")
    assert words == ExplainTexts(net=runs["all"], data="rotten-tomatoes")
    assert all(isinstance(one, TextFineTune) for one in runs.values())
    (encoder,) = {one.net for one in (*runs.values(), features)}
    assert features.data == "rotten-tomatoes"
    assert isinstance(encoder, TextPretrain)
    assert encoder.data == ("rotten-tomatoes", "sst2", "subj", "trec")
    budgets = {(one.recipe.epochs, one.recipe.batch_size, one.data, one.max_length) for one in runs.values()}
    assert len(budgets) == 1
    assert {name: one.policy.kind for name, one in runs.items()} == {
        "all": "all", "last-block": "last-block", "lora": "lora", "head": "head", "mixed": "all", "scratch": "scratch",
    }  # fmt: skip
    assert runs["mixed"] == replace(runs["all"], recipe=replace(runs["all"].recipe, precision="bf16"))
    assert runs["scratch"] == replace(runs["all"], policy=runs["scratch"].policy)


def test_the_preset_full_has_the_rates_of_the_labs_and_says_what_differs():
    made = design("full", model=ENCODER)
    tuned = {arm.name: arm.procedure for arm in made.arms if arm.name in POLICIES}
    rates = {name: one.recipe.learning_rate for name, one in tuned.items()}
    assert (rates["all"], rates["last-block"], rates["lora"]) == (5e-5, 5e-5, pytest.approx(2e-4))
    assert {one.recipe.batch_size for one in tuned.values()} == {16}
    assert {one.recipe.epochs for one in tuned.values()} == {3}
    assert made.deviations == ()
    assert "bf16 instead of fp16" in next(one for one in made.claims if one.id == "C004-11").deviations
    small = design()
    assert any("instead of DistilBERT" in one for one in small.deviations)
    assert {"C000-09", "C000-10", "C004-10", "C004-11", "C004-12"} <= {one.id for one in small.claims}


def test_the_preset_quick_takes_some_sentences_of_each_class():
    made = design("quick")
    assert {arm.procedure.data for arm in made.arms} == {"rotten-tomatoes#200"}
    assert made.arm("all").procedure.net.data == ("rotten-tomatoes#200",)
    assert design("quick", data="trec#20").arm("all").procedure.data == "trec#20"


@pytest.mark.slow
def test_on_real_sentences_frozen_blocks_are_the_pretrained_ones(tmp_path, data_dir):
    made = gradlab.run(
        "text-finetuning", data="rotten-tomatoes#60", preset="quick", seeds=2, out=tmp_path, data_dir=data_dir
    )
    assert {claim["id"] for claim in made.results["claims"]} >= {"finetuning-scratch", "C000-10"}
    pretrained = made.record("all", 0).spec["inputs"]["net"]
    encoder = load_file(tmp_path / "records" / pretrained / "weights.safetensors")
    last = max(re.findall(r"layer\.\d+\.", " ".join(encoder)))
    for seed in (0, 1):
        tuned = load_file(made.record("last-block", seed).folder / "weights.safetensors")
        same = [
            name
            for name, one in encoder.items()
            if torch.equal(tuned[name.replace("transformer.", "distilbert.", 1)], one)
        ]
        assert len(same) == sum(last not in name for name in encoder) > 0
    (shown,) = (one for one in made.results["figures"] if one["kind"] == "texts")
    assert len(shown["items"]) == 10
    assert all(one["words"] for one in shown["items"])
    table = made.record("lora", 0).table("predictions")
    assert (table["label"] == load("rotten-tomatoes#60", data_dir=data_dir).test.labels.numpy()).all()
