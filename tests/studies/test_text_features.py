"""The study of frozen features: what its arms share and differ in, and which encoder it takes."""

from dataclasses import replace

import pytest

from gradlab.lab.designing.procedure import inputs_of, walk
from gradlab.language import TextTransformer, WordPiece, build_encoder
from gradlab.preparing import prepare
from gradlab.procedures import PROCEDURES, PretrainedEncoder, TextOverlap, TextPretrain, Untrained
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._text_nets import SMALL, TEXTS
from gradlab.types import UserError

SETUP = Setup(preset="standard", data="rotten-tomatoes", train_images=8530, class_count=2)


def design(preset="standard", data="rotten-tomatoes", **parameters):
    return build_design(
        STUDIES["text-features"], "text-features", replace(SETUP, preset=preset, data=data), parameters
    )


def below(made, kind):
    return {one for arm in made.arms for one in walk(arm.procedure) if isinstance(one, kind)}


def test_every_arm_rests_on_one_pre_training_of_all_text_sets():
    made = design()
    (encoder,) = below(made, TextPretrain)
    assert encoder.data == TEXTS
    assert encoder.model == SMALL
    assert below(made, Untrained) == {Untrained(net=encoder)}
    assert len({one for arm in made.arms for one in walk(arm.procedure) if one.kind == "text-features"}) == 2


def test_both_sides_of_the_first_claim_choose_among_the_same_layers_and_heads():
    made = design()
    mine, random = (made.arm(name).procedure for name in ("pre-trained", "random"))
    assert mine.by == random.by == "validation accuracy"
    asked = [[(one.head, one.layer, one.pooling, one.data) for one in side.among] for side in (mine, random)]
    assert asked[0] == asked[1]
    assert [layer for _, layer, _, _ in asked[0]] == [0, 1, -1]
    for one, other in zip(mine.among, random.among, strict=True):
        (left,), (right,) = (dict(inputs_of(side)).values() for side in (one, other))
        assert right == replace(left, net=Untrained(net=left.net))


def test_heads_differ_in_the_head_alone_and_the_first_token_in_the_pooling_alone():
    made = design()
    svm = made.arm("linear-svm").procedure
    for name in ("rbf-svm", "logistic-regression", "nearest-neighbours"):
        other = made.arm(name).procedure
        assert other.head.kind == name
        assert replace(other, head=svm.head) == svm
    assert replace(made.arm("cls").procedure, pooling="mean") == svm


def test_other_data_and_encoders_are_said_to_be_another_setting():
    assert design().deviations == (
        "a DistilBERT of 2 layers of width 128, pre-trained here for 30 epochs on the training sentences of rotten-tomatoes, "
        "sst2, subj, trec instead of distilbert-base-uncased",
    )
    own = design(data="mine")
    assert own.deviations[0] == "data mine instead of rotten-tomatoes"
    assert {one.data for one in below(own, TextPretrain)} == {("mine",)}
    files = PretrainedEncoder(
        config="models--distilbert-base-uncased/snapshots/1/config.json", weights=("w",), tokenizer=("t",)
    )
    assert design(model=files).deviations == ()


def test_layers_may_be_named_and_the_last_is_always_there():
    assert design(layers=(0,)).parameters == {"layers": [0, -1]}
    with pytest.raises(UserError, match=r"names each layer once, got \(0, 0\)"):
        design(layers=(0, 0))


def test_full_says_what_would_provide_its_encoder(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(
        UserError, match="there is no folder distilbert-base-uncased, and huggingface_hub is not installed"
    ):
        design(preset="full")


def test_a_folder_is_taken_as_an_encoder_where_the_data_are_texts(tmp_path):
    rows = [f"{word} film {number}" for number in range(30) for word in ("good", "bad")]
    (tmp_path / "mine.csv").write_text("text,label\n" + "".join(f"{row},{row.split()[0]}\n" for row in rows))
    model = TextTransformer(dim=8, layers=1, heads=2, hidden_dim=8)
    folder = build_encoder(model, WordPiece(vocab_size=60).train(rows), seed=0).save(tmp_path / "encoder")

    def asked(place):
        return prepare(
            "text-features", preset="quick", data=tmp_path / "mine.csv", data_dir=None, seeds=2, first_seed=0, device="cpu",
            precision="fp32", out=tmp_path, parameters={"model": place}, command=None,
        )  # fmt: skip

    made, _, _ = asked(folder)
    assert {one.files.folder for one in below(made, PretrainedEncoder)} == {folder}
    with pytest.raises(UserError, match=r"there is no folder .*nowhere"):
        asked(tmp_path / "nowhere")
    with pytest.raises(UserError, match="begins with 3fa9"):
        asked("3fa9")


@pytest.mark.parametrize("name", ["text-features", "text-finetuning"])
def test_what_a_given_model_was_trained_on_is_compared_with_the_test_sentences_first(name):
    model = PretrainedEncoder(config="mine/config.json", weights=("w",), tokenizer=("t",))

    def made(**parameters):
        return build_design(STUDIES[name], name, SETUP, parameters)

    told = made(model=model, trained_on=("sst2", "subj"))
    assert [one.procedure for one in told.arms[:2]] == [
        TextOverlap(data="rotten-tomatoes", known=known) for known in ("sst2", "subj")
    ]
    assert told.tables[0].arms == tuple(one.name for one in told.arms[:2])
    assert set(told.tables[0].measures) == set(PROCEDURES["text-overlap"].measures)
    assert "trained on sst2, subj: test sentences that stand there are counted" in told.setting_text
    assert told.parameters["trained_on"] == ["sst2", "subj"]
    assert "--trained-on NAME counts" in made(model=model).setting_text
    assert "trained" not in made().parameters
    assert "given model" not in made().setting_text
    with pytest.raises(UserError, match="name the model as well"):
        made(trained_on=("sst2",))


@pytest.mark.parametrize("name", ["text-features", "text-finetuning"])
def test_the_command_line_takes_an_encoder_by_its_place(name, capsys, tmp_path):
    from gradlab.cli import main

    (tmp_path / "mine.csv").write_text("text,label\n" + "good film,good\nbad film,bad\n" * 20)
    words = ["plan", name, "--data", str(tmp_path / "mine.csv"), "--out", str(tmp_path)]
    assert main([*words, "--model", str(tmp_path / "none")]) == 1
    assert "there is no" in capsys.readouterr().err
