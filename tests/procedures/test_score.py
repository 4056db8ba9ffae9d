"""Scores of all kinds in a record, against the functions called by hand on the recorded network; what is tuned on what."""

import base64
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.detection import (
    DETECTORS,
    KNN,
    ODIN,
    AutoEncoder,
    Mahalanobis,
    MaxSoftmax,
    Reconstruction,
    Tuned,
    ViM,
    evaluate,
    head_of,
    odin,
    outliers,
    reconstruction_error,
)
from gradlab.lab import Arm, Design, load
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.tables import mean_interval
from gradlab.metrics import auroc, detection_error, fpr_at_tpr
from gradlab.models import Normalise
from gradlab.procedures import PROCEDURES, Score, TrainAutoencoder, network_of
from gradlab.procedures._scoring import network_flags
from gradlab.running import run as run_study
from gradlab.training import Recipe, outputs
from gradlab.types import UserError
from tests.procedures.examples import DATA, NET, run

STRIPES, NOISE, FLAT = (DATA[name] for name in ("stripes", "noise", "flat"))
KS = Tuned(among=tuple(KNN(k=k) for k in (1, 3, 40)))
TEMPERATURES = Tuned(among=tuple(MaxSoftmax(temperature=t) for t in (1.0, 20.0)))
AE = TrainAutoencoder(data="stripes", model=AutoEncoder(code=3, widths=(4,)), recipe=Recipe(epochs=2))
KINDS = [
    kind for kind in DETECTORS if kind not in ("knn", "ash", "odin")
]  # features of this net may be negative
WIDE = Score(
    net=NET,
    data="stripes",
    out=("noise", "flat"),
    detectors=(
        *(DETECTORS[kind]() for kind in KINDS),
        ODIN(temperature=10, eps=0.01),
        ODIN(temperature=10, eps=0.0),
        KS,
        TEMPERATURES,
    ),
    autoencoder=AE,
    shown=("mahalanobis",),
)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    run(folder, WIDE)
    return folder


def records(out):
    found = [load(path) for path in sorted((out / "records").iterdir())]
    return {one.spec["procedure"]["kind"]: one for one in found}


def arm(record, detector, name="flat"):
    return Results(record, PROCEDURES["score"], {"detector": detector, "set": name})


def scores(record, detector, name="flat"):
    found = arm(record, detector, name)
    return found.table("inside")[detector], found.table("outside")[detector]


@pytest.fixture(scope="module")
def by_hand(out):
    trained = out / "records" / records(out)["score"].spec["inputs"]["net"]
    network = network_of(load(trained))
    return network, *(outputs(network, one) for one in (STRIPES.train, STRIPES.test, FLAT.test))


def test_scores_of_features_are_those_of_detectors_fitted_by_hand(out, by_hand):
    record = records(out)["score"]
    network, train, inside, outside = by_hand
    fitted = {
        "mahalanobis": Mahalanobis().fit(train.features, STRIPES.train.labels),
        "vim": ViM().fit(train.features, head_of(network)),
    }
    for name, detector in fitted.items():
        for stored, one in zip(scores(record, name), (inside, outside), strict=True):
            np.testing.assert_allclose(stored, detector.score(one.features), rtol=1e-4, err_msg=name)


def test_detectors_that_run_the_network_themselves_do_so_once_for_each_setting(out, by_hand):
    record = records(out)["score"]
    for eps, name in ((0.01, "odin (temperature 10, eps 0.01)"), (0.0, "odin (temperature 10, eps 0)")):
        for stored, data in zip(scores(record, name), (STRIPES.test, FLAT.test), strict=True):
            np.testing.assert_allclose(stored, odin(by_hand[0], data, 10, eps), rtol=1e-5)
    kind = PROCEDURES["train-autoencoder"]
    network = kind.network(records(out)["train-autoencoder"], None, None)
    stored = scores(record, "reconstruction", "noise")[1]
    np.testing.assert_allclose(stored, reconstruction_error(network, NOISE.test), rtol=1e-5)


def test_what_is_tuned_is_tuned_on_validation_images_and_those_made_of_them(out, by_hand):
    record = records(out)["score"]
    network, train = by_hand[:2]
    inside, outside = (outputs(network, one) for one in (STRIPES.validation, outliers(STRIPES.validation)))
    tried = [
        auroc(*(one.fit(train.features).score(part.features) for part in (inside, outside)))
        for one in KS.among
    ]
    chosen = record.facts["chosen"]["knn, tuned"]
    assert [value for _, value in chosen["tried"]] == pytest.approx(tried)
    assert chosen["setting"] == f"k {KS.among[int(np.argmax(tried))].k}"
    fitted = KS.among[int(np.argmax(tried))].fit(train.features)
    np.testing.assert_allclose(scores(record, "knn, tuned")[1], fitted.score(by_hand[3].features), rtol=1e-4)
    assert "max-softmax, tuned" in record.facts["chosen"]


def test_the_record_and_the_table_of_evaluate_agree(out, by_hand):
    record, network = records(out)["score"], by_hand[0]
    fixed = [one for one in WIDE.detectors if one != Reconstruction()]
    found = evaluate(network, STRIPES, [NOISE, FLAT], fixed)
    measures = PROCEDURES["score"].measures
    for row in found.rows:
        run_ = arm(record, row.detector, row.set)
        assert measures["AUROC"].value(run_) == pytest.approx(row.auroc, abs=1e-6)
        assert measures["detection error"].value(run_) == pytest.approx(row.detection_error, abs=1e-6)
        assert measures["FPR at 95 % TPR, foreign as positive"].value(run_) == pytest.approx(
            row.fpr95_out, abs=1e-6
        )
    assert found.chosen == {name: one["setting"] for name, one in record.facts["chosen"].items()}


def test_views_follow_from_the_scores(out):
    run_ = arm(records(out)["score"], "energy")
    inside, outside = scores(records(out)["score"], "energy")
    found = run_.table("precision-recall")
    for positive, hits, misses in (("out", outside, inside), ("in", -inside, -outside)):
        rows = found["positive"] == positive
        for recall, precision in zip(
            found["recall"][rows][::10], found["precision"][rows][::10], strict=True
        ):
            cut = np.sort(hits)[::-1][int(np.ceil(recall * len(hits) - 1e-9)) - 1]
            tpr, fpr = (hits >= cut).mean(), (misses >= cut).mean()
            assert precision == pytest.approx(tpr / (tpr + fpr), abs=1e-9)
    ordered = run_.table("sorted")
    assert ordered["score"][ordered["images"] == "foreign"][[0, 50, 100]].tolist() == pytest.approx(
        [outside.min(), np.median(outside), outside.max()]
    )
    diagram = run_.table("reliability")
    assert ((diagram["accuracy"] >= 0) & (diagram["accuracy"] <= 1)).all()
    assert fpr_at_tpr(inside, outside, positive="out") == PROCEDURES["score"].measures[
        "FPR at 95 % TPR, foreign as positive"
    ].value(run_)
    assert detection_error(inside, outside) <= 0.5


def test_a_score_that_was_changed_is_found_where_the_logits_tell(out):
    record = records(out)["score"]
    assert PROCEDURES["score"].check(arm(record, "energy")) == []


def picture(text):
    return np.asarray(Image.open(BytesIO(base64.b64decode(text))))


def test_the_most_confident_mistakes_are_the_images_with_the_lowest_and_the_highest_scores(out, by_hand):
    record = records(out)["score"]
    names = np.array(STRIPES.class_names)
    for set_, data, test, most in (("flat", FLAT, by_hand[3], 5), (None, STRIPES, by_hand[2], 5)):
        values = scores(record, "mahalanobis")[0 if set_ is None else 1]
        rows = np.argsort(-values if set_ is None else values, kind="stable")[:most]
        table = arm(record, "mahalanobis").table("refused" if set_ is None else "accepted")
        assert table["index"].tolist() == rows.tolist()
        assert table["label"].tolist() == [data.class_names[one] for one in data.test.labels[rows]]
        assert table["prediction"].tolist() == names[test.logits.argmax(1)[rows]].tolist()
        assert table["note"].tolist() == [f"score {one:.3g}" for one in values[rows]]
        for row, png in zip(rows, table["png"], strict=True):
            np.testing.assert_array_equal(picture(png), data.test.images[int(row)][0])


def test_reconstructions_stand_beside_their_images_with_their_psnr(out):
    record = records(out)["score"]
    network = PROCEDURES["train-autoencoder"].network(records(out)["train-autoencoder"], None, None)
    for name, table, data in (("flat", "reproduced foreign", FLAT), ("flat", "reproduced", STRIPES)):
        found = arm(record, "reconstruction", name).table(table)
        errors = reconstruction_error(network, data.test)[found["index"]]
        np.testing.assert_allclose(10 ** (-found["psnr"] / 10), errors, rtol=1e-4)
        assert found["note"][0] == f"{found['psnr'][0]:.1f} dB"
        shown, side = picture(found["png"][0]), data.input_shape[2]
        np.testing.assert_array_equal(shown[:, :side], data.test.images[0][0])
        made = network.reconstruct(data.test.images[:1] / 255).detach().numpy()[0, 0]
        np.testing.assert_allclose(shown[:, side + 1 : 2 * side + 1] / 255, made, atol=0.5 / 255 + 1e-5)


def test_flags_name_what_pixels_tell_and_what_is_worse_than_chance(out):
    record = records(out)["score"]
    said = " ".join(
        flag
        for kind in KINDS
        for flag in PROCEDURES["score"].flags(kind, [arm(record, kind, name) for name in ("flat",)])
    )
    assert "of the pixels alone has an AUROC of 100 %" in said  # flat images have one brightness
    setting = record.facts["chosen"]["knn, tuned"]["setting"]
    told = PROCEDURES["score"].flags("k-NN", [arm(record, "knn, tuned", "flat")] * 3)
    assert f"k-NN: tuned on means and jigsaws of validation images, which chose {setting} (3 seeds)" in told
    assert not any(
        "tuned on" in one for one in PROCEDURES["score"].flags("k-NN", [arm(record, "energy", "flat")])
    )


def test_a_network_that_normalises_by_other_numbers_than_its_data_is_flagged(by_hand):
    network, logits = by_hand[0], by_hand[2].logits.numpy()
    assert network_flags(network, STRIPES, logits) == []
    (said,) = network_flags(torch.nn.Sequential(Normalise((0.1,), (2.0,)), network), STRIPES, logits)
    assert said.startswith("the network normalises with mean (0.10) and deviation (2.00), its data have")
    assert network_flags(network, SimpleNamespace(), logits) == []  # texts have no mean


def test_sets_that_are_perfectly_apart_and_scores_that_are_all_equal_are_not_taken_for_sure(out):
    record = records(out)["score"]
    measure, runs = PROCEDURES["score"].measures["AUROC"], []
    for value in (1.0, 0.0):
        tables = {"inside": {"energy": np.zeros(30)}, "outside": {"energy": np.full(12, value)}}
        changed = SimpleNamespace(
            table=lambda name, own=tables: own.get(name) or record.table(name),
            spec=record.spec,
            facts=record.facts | {"outputs": ["the network returns probabilities"]},
            hash=record.hash,
        )
        runs.append(Results(changed, PROCEDURES["score"], {"detector": "energy", "set": "flat"}))
    apart, equal = runs
    mean, low, high, _ = mean_interval(measure, [apart] * 3)
    assert (mean, high) == (1, 1)
    assert 0.7 < low < 0.8  # of twelve pairs; Wilson's is 0.76
    said = PROCEDURES["score"].flags("the energy", [equal])
    assert "the energy: every image has the same score, so that it tells nothing" in said
    assert "the network returns probabilities" in said
    assert not any("same score" in one for one in PROCEDURES["score"].flags("the energy", [apart]))


def test_fewer_images_are_drawn_once_and_are_other_axes(tmp_path):
    few = replace(
        WIDE, images=15, fit_images=30, detectors=(KNN(k=2), MaxSoftmax()), autoencoder=None, shown=()
    )
    run(tmp_path, few)
    record = records(tmp_path)["score"]
    assert max(record.facts["images"].values()) <= 16
    (inside, _outside) = PROCEDURES["score"].measures["AUROC"].samples(arm(record, "knn"))
    assert "15 drawn/in-distribution" in inside
    assert len(record.table("predictions")["label"]) == record.facts["images"]["stripes"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"detectors": (KNN(), KNN())}, "each detector once"),
        ({"tune_on": "flat#3"}, "comes from the same source"),
        (
            {"shown": ("max-softmx",)},
            "no detector of this Score goes by 'max-softmx'; did you mean 'max-softmax'",
        ),
        ({"out": ("stripes",)}, "other than the in-distribution data"),
    ],
)
def test_what_cannot_be_scored_is_refused(changed, sentence):
    with pytest.raises(UserError, match=sentence):
        replace(WIDE, **changed)


def test_what_a_detector_lacks_is_said(tmp_path):
    lacking = replace(WIDE, detectors=(Reconstruction(),), autoencoder=None, shown=())
    with pytest.raises(UserError, match="reconstruction needs a trained auto-encoder"):
        run(tmp_path, lacking)


def test_foreign_data_without_the_part_to_tune_on_are_refused_before_anything_runs(tmp_path):
    asked = Score(
        net=replace(NET, data="digits"),
        data="digits",
        out=("noise@8:grey",),
        detectors=(KS,),
        tune_on="photos@8:grey",
    )
    arm = Arm(
        name="one",
        label="one",
        factors={},
        procedure=asked,
        at={"detector": "knn, tuned", "set": "noise@8:grey"},
    )
    study = Design(
        study="tiny", title="t", question="q?", background="b", setting="s", setting_text="s", deviations=(), parameters={},
        arms=(arm,), claims=(), tables=(), figures=(),
    )  # fmt: skip
    with pytest.raises(
        UserError, match="needs the train or validation part of 'photos@8:grey', and it has none here"
    ):
        run_study(study, data="digits", out=tmp_path, progress=False)
    assert not (tmp_path / "records").exists()
