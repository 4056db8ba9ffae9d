"""The studies of CLIP: which classes are held out, that both rest on one pre-training, and their numbers from the records."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import CLIPModel

import gradlab
from gradlab.clip import CLIPClassifier
from gradlab.clip.pretrain import assemble, captions_of
from gradlab.clip.prompts import GROUPS, described, spoken
from gradlab.data import DATASETS, parse
from gradlab.data.derivation import class_numbers
from gradlab.lab.designing.procedure import walk
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.language import WordPiece
from gradlab.procedures import PROCEDURES, FromRecord
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._clip_arms import METHODS
from gradlab.studies._clip_data import classes_of, small_clip
from gradlab.studies.setup import TEXTS
from gradlab.types import UserError

CIFAR = {"data": "cifar100", "train_images": 45_000, "class_count": 100, "image_size": 32, "channels": 3}
COLOURED = {
    "data": "coloured-digits",
    "train_images": 1293,
    "class_count": 40,
    "image_size": 8,
    "channels": 3,
}
STUDIES_OF_CLIP = ("clip-zero-shot", "clip-lora")


def setup(preset="standard", **where):
    return Setup(preset=preset, **(where or CIFAR))


def design(name, where, **parameters):
    return build_design(STUDIES[name], name, where, parameters)


def names_in(data):
    base, derived = parse(data)
    names = DATASETS[base].class_names
    return [names[one] for one in class_numbers(derived.classes, names, base)]


def test_of_every_group_of_cifar100_three_classes_are_seen_one_is_tuned_on_and_one_is_novel():
    made = classes_of(setup())
    group_of = {name: group for group, names in GROUPS.items() for name in names}
    parts = {one: [spoken(name) for name in names_in(getattr(made, one))] for one in made.counts}
    for part, count in (("seen", 3), ("trained", 1), ("novel", 1), ("held", 2)):
        groups = [group_of[name] for name in parts[part]]
        assert {group: groups.count(group) for group in GROUPS} == dict.fromkeys(GROUPS, count)
        assert made.counts[part] == len(parts[part])
    assert not set(parts["seen"]) & set(parts["held"])
    assert sorted(parts["trained"] + parts["novel"]) == sorted(parts["held"])
    assert not set(parts["trained"]) & set(parts["novel"])


def test_every_digit_and_every_colour_of_a_held_out_pair_was_seen():
    made = classes_of(setup(**COLOURED))
    seen, held = ([name.split("_") for name in names_in(one)] for one in (made.seen, made.held))
    for place in (0, 1):
        words = [name[place] for name in seen]
        assert {name[place] for name in held} <= set(words)
        assert min(words.count(one) for one in words) >= 2
    assert (len(seen), len(held)) == (20, 20)


def test_classes_chosen_already_and_too_few_are_refused():
    with pytest.raises(UserError, match=r"divide the classes of 'cifar100.0-50.' themselves"):
        classes_of(setup(**(CIFAR | {"data": "cifar100[0-50]", "class_count": 51})))
    last = classes_of(setup(data="mnist", train_images=100, class_count=10, image_size=28))
    assert (last.seen, last.trained, last.novel) == ("mnist[0-5]", "mnist[6-7]", "mnist[8-9]")
    with pytest.raises(UserError, match="at least eight"):
        classes_of(setup(data="few", train_images=100, class_count=7))


@pytest.mark.parametrize("preset", ["quick", "standard", "full"])
def test_both_studies_rest_on_one_pre_training_that_sees_no_class_that_is_judged(preset):
    found = {
        one
        for name in STUDIES_OF_CLIP
        for arm in design(name, setup(preset, **CIFAR)).arms
        for one in walk(arm.procedure)
        if one.kind == "clip-pretrain"
    }
    (pretraining,) = found
    judged = {arm.procedure.data for arm in design("clip-lora", setup(preset, **CIFAR)).arms}
    seen = set(names_in(pretraining.data))
    assert len(seen) == 60
    assert all(len(names_in(one)) == 20 and not seen & set(names_in(one)) for one in judged)
    assert pretraining.flips
    assert pretraining.model.build is not None
    assert 32 % pretraining.model.patch == 0


def test_digits_are_not_mirrored_and_parameters_reach_the_recipes():
    made = design("clip-lora", setup(**COLOURED), epochs=2, r=5, learning_rate=0.5, pretrain_epochs=7)
    (pretraining,) = {one for arm in made.arms for one in walk(arm.procedure) if one.kind == "clip-pretrain"}
    assert not pretraining.flips
    assert pretraining.recipe.epochs == 7
    tuned = [arm.procedure for arm in made.arms if arm.procedure.kind == "clip-tune"]
    assert {(one.recipe.epochs, one.recipe.learning_rate) for one in tuned} == {(2, 0.5)}
    assert {one.method.r for one in tuned if one.method.kind == "lora"} == {5}
    assert {one.method.tower for one in tuned if one.method.kind == "lora"} == {"image", "text", "both"}


def test_a_learned_prompt_leaves_room_for_every_held_out_name_though_the_tokenizer_cuts_it_into_letters():
    """Sixteen vectors, as many as CoOp has, leave none."""
    where = setup()
    made, small = classes_of(where), small_clip(where, "", None).model
    texts = [text for one in captions_of(names_in(made.seen)) for text in one]
    clip = assemble(small, WordPiece().train(texts).json, 32, (0.5,) * 3, (0.5,) * 3, seed=0)
    names = [described(one) for one in names_in(made.held)]
    pieces = clip.tokenizer.tokenize(
        max(names_in(made.held), key=lambda one: len(clip.tokenizer.tokenize(one)))
    )
    assert len(pieces) > 5  # the name is cut
    method = METHODS["prompt"][1]
    CLIPClassifier(method.start(clip, 0), names)
    with pytest.raises(UserError, match="at most 32 tokens"):
        CLIPClassifier(replace(method, context=16).start(clip, 0), names)


def pretraining_of(*made):
    (found,) = {
        one
        for each in made
        for arm in each.arms
        for one in walk(arm.procedure)
        if one.kind == "clip-pretrain"
    }
    return found


@pytest.mark.parametrize("preset", ["quick", "standard"])
def test_both_studies_share_a_text_tower_that_has_read_sentences_where_it_is_asked_for(preset):
    made = [design(name, setup(preset, **CIFAR), text="sentences") for name in STUDIES_OF_CLIP]
    net = pretraining_of(*made)
    assert net.text.model == net.model.text_tower()
    assert 0 < net.frozen_epochs < net.recipe.epochs
    assert net.text.data == (("rotten-tomatoes",) if preset == "quick" else TEXTS)
    for each in made:
        assert f"frozen in the first {net.frozen_epochs} epochs" in each.setting_text
        assert each.parameters["text"] == "sentences"


def test_where_nothing_is_said_sentences_are_read_where_that_was_measured_to_help_and_they_are_here():
    def texts(text=None, preset="standard", **where):
        made = [
            design(name, setup(preset, **(CIFAR | where)), **({} if text is None else {"text": text}))
            for name in STUDIES_OF_CLIP
        ]
        return pretraining_of(*made).text, made[0].setting_text

    assert texts(beside=TEXTS)[0].data == TEXTS
    assert texts(beside=TEXTS, text="random") == texts()  # nobody has looked
    assert texts()[0] is None
    assert "text tower" not in texts()[1]
    assert texts(beside=TEXTS, preset="quick")[0] is None
    tower, told = texts(beside=TEXTS[:2])
    assert tower is None
    assert (
        "starts from random values: the sentences of subj, trec are not here (gradlab data get subj)" in told
    )
    assert pretraining_of(design("clip-lora", setup(**COLOURED, beside=TEXTS))).text is None


@pytest.mark.parametrize("name", STUDIES_OF_CLIP)
def test_sentences_that_are_not_here_are_named_with_what_to_do(name, monkeypatch, tmp_path, capsys):
    """The random start is named, and never taken silently."""
    from gradlab.cli import main

    told = "text='sentences' needs the sentences of rotten-tomatoes, which are not here: run gradlab data get"
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path))
    assert (
        main(["plan", name, "--text", "sentences", "--data-dir", str(tmp_path), "--out", str(tmp_path)]) == 1
    )
    said = " ".join(capsys.readouterr().err.split())
    assert told in said
    assert "leave text out, so that the text tower starts from random values" in said
    lacking = replace(setup(**CIFAR), beside=("rotten-tomatoes", "subj"))
    with pytest.raises(
        UserError, match="the sentences of sst2, trec, which are not here: run gradlab data get sst2"
    ):
        design(name, lacking, text="sentences")


@pytest.mark.parametrize("name", STUDIES_OF_CLIP)
def test_a_given_clip_has_its_text_tower_already(name):
    with pytest.raises(UserError, match=r"text='sentences' says how the text tower .* leave one of them out"):
        design(name, setup(), model=FromRecord(record="0" * 20), text="sentences")


def test_a_model_of_ones_own_is_asked_about_all_classes_and_tuned_on_half_of_them():
    model = FromRecord(record="0" * 20)
    asked = design("clip-zero-shot", setup(), model=model, other="tiny-imagenet")
    assert {arm.procedure.data for arm in asked.arms} == {"cifar100", "tiny-imagenet"}
    assert {one.kind for arm in asked.arms for one in walk(arm.procedure)} == {"clip-zero-shot", "record"}
    tuned = design("clip-lora", setup(), model=model)
    assert {arm.procedure.data for arm in tuned.arms} == {"cifar100[0-49]", "cifar100[50-99]"}


def test_only_of_a_clip_that_is_pre_trained_here_it_is_said_that_it_saw_none_of_the_pictures():
    own, given = (
        design("clip-zero-shot", setup(), model=model) for model in (None, FromRecord(record="0" * 20))
    )
    said = {
        id(one): [*next(c for c in one.claims if c.id == "clip-chance").says.values()] for one in (own, given)
    }
    assert sum("Without a" in text for text in said[id(own)]) == 2
    assert not any("Without a" in text for text in said[id(given)])
    assert "never trained on" in own.question
    assert "never" not in given.question
    assert "nobody can tell" in given.setting_text


def test_published_values_stand_beside_their_claims():
    told = {claim.id: claim.published for name in STUDIES_OF_CLIP for claim in design(name, setup()).claims}
    for name, value in (
        ("C001-08", "98.46 %"),
        ("C003-13", "63 %"),
        ("C003-14", "76 %"),
        ("C003-15", "91.7 %"),
    ):
        assert value in told[name].value


# --- run ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    pytest.importorskip("peft")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            running,
            "run_units",
            lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
        )
        out = tmp_path_factory.mktemp("clip") / "runs"
        common = {"data": "coloured-digits", "seeds": 2, "out": out, "device": "cpu", "progress": False}
        asked = gradlab.run("clip-zero-shot", epochs=1, **common)
        yield asked, gradlab.run("clip-lora", epochs=1, pretrain_epochs=1, **common)


def accuracy(table):
    return float((table["prediction"] == table["label"]).mean())


@pytest.mark.slow
def test_their_numbers_follow_from_the_records_and_their_pages_are_sound(finished):
    asked, tuned = finished
    for result in finished:
        assert [list(one.differences) for one in gradlab.verify(result.folder)] == [[]]
    claims = asked.claims.set_index("id").estimate
    share = accuracy(asked.record("held-group", 0).table("predictions"))
    assert claims["clip-chance"] == pytest.approx(share - 1 / 20)
    claims = tuned.claims.set_index("id").estimate
    novel = [accuracy(tuned.record("both-novel", seed).table("predictions")) for seed in (0, 1)]
    before = accuracy(tuned.record("before-novel", 0).table("predictions"))
    assert claims["clip-forgets-both"] == pytest.approx(before - np.mean(novel))


@pytest.mark.slow
def test_all_seeds_share_one_pre_training_and_the_tuned_ones_keep_what_they_trained(finished):
    asked, tuned = finished
    first = asked.record("pretraining", 0)
    assert asked.record("pretraining", 1).hash == first.hash
    for arm in ("image", "text", "both", "prompt"):
        for seed in (0, 1):
            record = tuned.record(arm, seed)
            assert record.spec["inputs"]["net"] == first.hash
            assert record.facts["frozen"]["unchanged"] == record.facts["frozen"]["tensors"] > 0
    assert tuned.record("both", 0).hash != tuned.record("both", 1).hash


@pytest.mark.slow
def test_the_pre_trained_network_is_a_plain_clip_model(finished, tmp_path):
    from gradlab.clip import save_clip

    record = gradlab.lab.find_record(
        finished[0].record("pretraining", 0).hash, finished[0].folder.parent.parent
    )
    clip = PROCEDURES["clip-pretrain"].network(record, None, None)
    plain = CLIPModel.from_pretrained(save_clip(clip, tmp_path / "clip"))
    images = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        theirs = plain.get_image_features(clip.preprocessing(images)).pooler_output
        assert torch.allclose(clip(images), theirs, atol=1e-5)


def test_a_model_that_is_not_here_is_named_on_the_command_line_with_what_to_do(capsys, tmp_path):
    from gradlab.cli import main

    words = ["plan", "clip-lora", "--data", "coloured-digits", "--model", str(tmp_path / "none")]
    assert main(words) == 1
    assert "there is no model" in capsys.readouterr().err
