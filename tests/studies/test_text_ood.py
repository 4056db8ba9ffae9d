"""The study of foreign sentences: the networks of text-finetuning, sets that are foreign, and its numbers from the records."""

from dataclasses import replace

import numpy as np
import pytest

from gradlab.detection import Mahalanobis
from gradlab.lab import load
from gradlab.metrics import auroc
from gradlab.procedures import PROCEDURES, TextFineTune
from gradlab.procedures.score import Score
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.training import Recipe, outputs
from gradlab.transfer import AllLayers
from gradlab.types import UserError
from tests.procedures.encoders import encoder_in
from tests.procedures.examples import DATA, NET, run

REVIEWS = Setup(preset="standard", data="rotten-tomatoes", train_images=8530, class_count=2, image_size=0)


def design(name="text-ood", **where):
    return build_design(STUDIES[name], name, replace(REVIEWS, **where), {})


@pytest.mark.parametrize("preset", ["quick", "standard"])
def test_it_judges_the_networks_of_text_finetuning(preset):
    made, other = design(preset=preset), design("text-finetuning", preset=preset)
    nets = {arm.procedure.net for arm in made.arms if arm.procedure.kind == "score"}
    assert nets == {other.arm("all").procedure} == {made.arm("net").procedure}


def test_no_set_is_foreign_that_holds_sentences_of_the_same_kind():
    sets = {
        data: {arm.at["set"] for arm in design(data=data).arms if arm.at}
        for data in ("rotten-tomatoes", "sst2", "trec#9", "subj")
    }
    films = {"trec", "subj[objective]"}
    assert sets == {
        "rotten-tomatoes": films,
        "sst2": films,
        "trec#9": {"rotten-tomatoes", "subj[objective]"},
        "subj": {"trec"},
    }
    assert len(design(data="subj").claims) == 2
    assert len(design().claims) == 4


def test_that_the_encoder_has_read_foreign_sentences_is_said_where_it_has():
    assert "has read training sentences of the foreign sets" in design().background
    for where in ({"preset": "quick"}, {"data": "reviews-of-ones-own"}):
        assert "foreign sets" not in design(**where).background
        assert "{" not in design(**where).background


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A classifier of made-up reviews, and what it says of sentences of other words."""
    from gradlab.data import from_texts

    words = [f"number {n} {'film' if n % 3 else 'good'}" for n in range(40)]
    DATA["numbers"] = from_texts(
        words, [n % 2 for n in range(40)], name="numbers", class_names=("odd", "even")
    )
    folder = tmp_path_factory.mktemp("foreign")
    net = TextFineTune(
        net=encoder_in(folder),
        data="reviews",
        policy=AllLayers(),
        recipe=Recipe(epochs=4, batch_size=16, learning_rate=0.01),
        max_length=10,
    )
    detectors = tuple(
        one for one in design().arms[1].procedure.detectors if one.kind in ("max-softmax", "mahalanobis")
    )
    procedure = Score(net=net, data="reviews", out=("numbers",), detectors=detectors)
    run(folder, procedure, data="reviews")
    yield folder, procedure
    del DATA["numbers"]


def record_of(folder, kind):
    found = [load(one) for one in (folder / "records").iterdir()]
    return next(one for one in found if one.spec["procedure"]["kind"] == kind)


def test_scores_follow_from_the_classifier_and_the_tokens_that_it_read(scored):
    folder, _ = scored
    record, net = record_of(folder, "score"), record_of(folder, "text-finetune")
    model = PROCEDURES["text-finetune"].network(net, None, None)
    from gradlab.language import token_feed
    from gradlab.procedures.text_encoder import tokenizer_of

    feeds = [
        token_feed(one, tokenizer_of(net), max_length=10)
        for one in (DATA["reviews"].train, DATA["reviews"].test, DATA["numbers"].test)
    ]
    train, inside, outside = (outputs(model, one) for one in feeds)
    fitted = Mahalanobis().fit(train.features, DATA["reviews"].train.labels)
    expected = {
        "max-softmax": [1 - one.logits.double().softmax(1).amax(1).numpy() for one in (inside, outside)],
        "mahalanobis": [fitted.score(one.features) for one in (inside, outside)],
    }
    for name, both in expected.items():
        for table, values in zip(("inside", "outside"), both, strict=True):
            own = record.table(table)[name]
            np.testing.assert_allclose(own, values, rtol=1e-3, atol=1e-5)
    assert record.facts["holds"] == "texts"
    lengths = [one.tokens.lengths.numpy().astype(float) for one in feeds[1:]]
    value = auroc(*lengths)
    assert record.facts["cues"]["numbers"] == {"length": pytest.approx(max(value, 1 - value))}


def test_texts_need_a_classifier_of_texts_and_detectors_without_images(scored, tmp_path):
    _, procedure = scored
    with pytest.raises(
        UserError, match="this needs a classifier of texts that text-finetune trained, got one of kind"
    ):
        run(tmp_path / "a", replace(procedure, net=replace(NET)), data="reviews")
    with pytest.raises(UserError, match=r"reads texts|reads images|holds"):
        run(tmp_path / "b", replace(procedure, out=("numbers", "noise")), data="reviews")
