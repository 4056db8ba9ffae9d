"""One call and its table, against `attacked` and plain counts."""

import numpy as np
import pytest
import torch

from gradlab.attacks import FGSM, PGD, FewPixel, attacked, robustness
from gradlab.data import from_tensors
from gradlab.statistics import wilson
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, linear, small

RADII = (0.02, 0.06)
ATTACKS = {"fgsm": FGSM(), "pgd": PGD(steps=5)}


def ready(count=60):
    model, batch = small(dtype=torch.float32), images(count, dtype=torch.float32)
    labels = labels_of(model, batch)
    labels[:10] = (labels[:10] + 1) % 4  # wrong from the beginning
    return model, batch, labels


@pytest.fixture(scope="module")
def found():
    model, batch, labels = ready()
    return robustness(model, (batch, labels), list(ATTACKS.values()), eps=RADII, batch_size=16)


def test_every_row_is_what_the_attack_does_alone(found):
    model, batch, labels = ready()
    for name, attack in ATTACKS.items():
        for eps in RADII:
            one = type(attack)(**(vars(attack) | {"eps": eps}))
            alone = attacked(one, model, batch, labels, generator=generator(), batch_size=16)
            row = found.table[(found.table["attack"] == name) & (found.table["eps"] == eps)].iloc[0]
            assert row["robust accuracy"] == pytest.approx(alone.robust_accuracy)
            assert row["clean accuracy"] == 50 / 60
            successes, attackable = alone.successes
            assert row["attack success"] == pytest.approx(successes / attackable)
            share = wilson(round(alone.robust_accuracy * 60), 60)
            assert (row["robust accuracy low"], row["robust accuracy high"]) == (share.low, share.high)
            assert row["attack success low"] < row["attack success"] < row["attack success high"]
            assert torch.equal(found.of(name, eps).images, alone.images)


def test_the_worst_case_is_taken_image_by_image(found):
    for eps in RADII:
        both = np.ones(60, dtype=bool)
        for name in ATTACKS:
            columns = found.of(name, eps).columns
            both &= (columns["clean"] == columns["label"]) & (columns["prediction"] == columns["label"])
        row = found.table[(found.table["attack"] == "all of them") & (found.table["eps"] == eps)].iloc[0]
        assert row["robust accuracy"] == both.mean()
        assert np.isnan(row["SSIM"])


def test_the_matrix_counts_the_successes_by_true_class_and_class_under_attack(found):
    columns = found.of("pgd", 0.06).columns
    matrix = found.matrix("pgd", 0.06)
    right = columns["clean"] == columns["label"]
    for source in range(4):
        for other in range(4):
            count = (right & (columns["label"] == source) & (columns["prediction"] == other)).sum()
            assert matrix[source, other] == (count if source != other else 0)
    assert matrix.sum() > 0


def test_targets_leave_out_the_images_of_the_class_and_others_are_drawn_among_the_rest():
    model, batch, labels = ready()
    one = robustness(model, (batch, labels), PGD(eps=0.1), targets=2)
    assert len(one.images) == int((labels != 2).sum())
    assert set(one.of("pgd").columns["target"]) == {2}
    assert one.matrix("pgd")[:, [0, 1, 3]].sum() == 0
    for how in ("random", "least-likely"):
        columns = robustness(model, (batch, labels), PGD(eps=0.1), targets=how).of("pgd").columns
        assert (columns["target"] != columns["label"]).all()
        assert len(set(columns["target"])) == 4
        if how == "least-likely":
            with torch.no_grad():
                logits = model.eval()(batch)
            assert (
                columns["target"].tolist() == logits.scatter(1, labels[:, None], torch.inf).argmin(1).tolist()
            )


def test_a_data_set_gives_its_test_images_and_names():
    pixels, labels = (images(40, (1, 4, 5)) * 255).to(torch.uint8), torch.arange(40) % 4
    data = from_tensors(pixels, labels, test=(pixels, labels), name="small", class_names=("a", "b", "c", "d"))
    model = linear((1, 4, 5), classes=4, dtype=torch.float32)
    whole = robustness(model, data, FGSM(eps=0.02))
    again = robustness(model, (pixels.float() / 255, labels), FGSM(eps=0.02))
    assert whole.class_names == ("a", "b", "c", "d")
    assert whole.table.equals(again.table)
    assert len(robustness(model, data, FGSM(), images=12).images) == 12


def test_it_prints_a_line_a_row_in_text_and_html(found):
    text = str(found).splitlines()
    assert text[0] == "60 images"
    assert len(text) == 2 + 6
    assert text[1].split()[:2] == ["attack", "eps"]
    assert "83.3% (72.0% to 90.7%)" in str(found)  # 50 of 60, Wilson
    html = found._repr_html_()
    assert html.count("<tr>") == 7
    assert "<th>robust accuracy</th>" in html
    names = str(robustness(*_pair(), {"<b>": FGSM(eps=0.02)})._repr_html_())
    assert "&lt;b&gt;" in names


def _pair():
    model, batch, labels = ready(20)
    return model, (batch, labels)


def test_an_attack_by_pixels_says_how_many_changed():
    row = robustness(*_pair(), FewPixel(population=20, generations=5)).table.iloc[0]
    assert row["pixels changed"] == 1
    assert row["queries to success"] >= 1


@pytest.mark.parametrize(
    ("attacks", "sentence"),
    [([], "at least one attack"), ([PGD(), PGD(steps=50)], "two attacks of one kind need names")],
)
def test_attacks_that_cannot_be_told_apart_are_refused(attacks, sentence):
    with pytest.raises(UserError, match=sentence):
        robustness(*_pair(), attacks)


def test_asking_for_another_result_names_those_that_there_are(found):
    with pytest.raises(UserError, match=r"there are 2 results of 'pgd' at –; judged are fgsm at 0\.02"):
        found.of("pgd")


def test_the_worst_case_of_targeted_attacks_is_wrong_wherever_one_of_them_is():
    """Counted by hand: one attack reaches the target of some images, another makes others wrong without reaching theirs."""
    model, batch, labels = ready(40)
    found = robustness(
        model, (batch, labels), {"a": PGD(eps=0.1, steps=5), "b": FGSM(eps=0.1)}, targets="random"
    )
    parts = [found.of(name).columns for name in "ab"]
    right = parts[0]["clean"] == parts[0]["label"]
    still = np.all([right & (one["prediction"] == one["label"]) for one in parts], axis=0)
    reached = np.any([right & (one["prediction"] == one["target"]) for one in parts], axis=0)
    row = found.table.iloc[-1]
    assert row["attack"] == "all of them"
    assert row["robust accuracy"] == still.mean() < found.table["robust accuracy"][0]
    assert row["attack success"] == reached.sum() / right.sum()


def test_every_norm_has_a_worst_case_of_its_own():
    model, batch, labels = ready(20)
    attacks = {"a": FGSM(), "b": PGD(), "c": PGD(norm="l2"), "d": PGD(norm="l2", restarts=2)}
    found = robustness(model, (batch, labels), attacks, eps="8/255")
    assert [one.attack for one in found.judged[4:]] == ["all of them, L-infinity", "all of them, L2"]


def test_success_of_all_images_has_an_interval_of_their_number():
    model, batch, labels = ready(40)
    row = robustness(model, (batch, labels), PGD(eps=1)).table.iloc[0]
    share = wilson(30, 30)
    assert (row["attack success"], row["attack success low"], row["attack success high"]) == (1, share.low, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": 0}, "must be at least 1, got 0"),
        ({"images": -3}, "must be at least 1, got -3"),
        ({"attacks": "pgd"}, "such as PGD\\(eps=8/255\\), got 'pgd'"),
        ({"attacks": PGD}, "got the class PGD"),
        ({"data": "digits"}, "a pair \\(images, labels\\) of tensors, got str"),
        ({"data": (np.zeros((2, 2, 4, 5)), np.zeros(2))}, "got ndarray; turn an array into one"),
        ({"data": torch.utils.data.TensorDataset(torch.zeros(2, 2))}, "give its tensors, dataset.tensors"),
        ({"model": linear}, "put it into the forward"),
        ({"eps": (0.1, 0.1)}, "one or more different radii"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_a_sentence(change, sentence):
    model, pair = _pair()
    given = {"model": model, "data": pair, "attacks": PGD(), "eps": "8/255"} | change
    with pytest.raises(UserError, match=sentence):
        robustness(**given)
