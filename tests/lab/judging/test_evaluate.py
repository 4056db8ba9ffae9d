import dataclasses
import json
import math

import numpy as np
import pytest

from gradlab.detection import AutoEncoder, MaxSoftmax
from gradlab.lab.designing.claims import Published
from gradlab.lab.designing.design import OTHERWISE, OWN, Twins
from gradlab.lab.judging.claims import judge_part
from gradlab.lab.judging.evaluate import evaluate as evaluate_runs
from gradlab.lab.kinds import Measure
from gradlab.models.mlp import MLP
from gradlab.procedures import PROCEDURES
from gradlab.procedures.fine_tune import FineTune
from gradlab.procedures.score import Score
from gradlab.procedures.sources import Given
from gradlab.procedures.train import Custom
from gradlab.procedures.train_autoencoder import TrainAutoencoder
from gradlab.statistics import Contrast, Part, against, alpha_at, judge, judge_every
from gradlab.transfer import LastBlock
from tests.lab.fakes import (
    LABELS,
    RECIPE,
    arm,
    claim,
    context,
    design,
    fake_run,
    looked,
    opened,
    part,
    results,
    study,
)

SEEDS = (0, 1, 2, 3, 4, 5)
ARMS = (arm("good"), arm("bad"))
RUNS = {
    "good": [fake_run(0.9, seed) for seed in SEEDS],
    "bad": [fake_run(0.5, seed) for seed in SEEDS],
}


def evaluate(made, runs, asked):
    return evaluate_runs(made, opened(made, runs, asked), looked(made, asked), PROCEDURES)


def hits(name, runs=RUNS):
    return np.array(
        [[float(p == t) for p, t in zip(run.predictions, LABELS, strict=True)] for run in runs[name]]
    )


def one_claim(*parts, arms=ARMS, runs=RUNS, look=1, more=(), **of_claim):
    made = design(arms, claim("C", *parts, **of_claim), *more)
    return evaluate(made, runs, context(SEEDS, look=look))["claims"][0]


def same(found, judgement):
    """What stands in the claim is what the judgement says, as JSON."""
    wanted = json.loads(json.dumps(judgement.as_record()))
    wanted.pop("parts", None)
    assert {name: found[name] for name in wanted} == wanted


def test_a_claim_on_accuracy_is_judged_seed_by_seed_and_image_by_image():
    found = one_claim(part("good", "bad", delta=0.05))
    learned = {name: [results(run).has_learned for run in RUNS[name]] for name in ("good", "bad")}
    direct = judge(hits("good"), hits("bad"), delta=0.05, claims=1, look=1, learned=learned, unit="fraction")
    same(found, direct)
    assert found["verdict"] == "supported"
    assert found["samples"] == 200
    assert found["estimate"] == pytest.approx(hits("good").mean() - hits("bad").mean())
    (only,) = found["parts"]
    assert only["differences"] == pytest.approx((hits("good") - hits("bad")).mean(axis=1).tolist())
    assert only["seeds"] == list(SEEDS)


def test_a_claim_on_a_measure_without_samples_is_judged_seed_by_seed():
    found = one_claim(part("good", "bad", measure="best epoch", delta=1.0))
    values = {name: [run.facts["best_epoch"] for run in RUNS[name]] for name in ("good", "bad")}
    d = np.subtract(values["good"], values["bad"]).astype(float)
    learned = {name: [True] * 6 for name in ("good", "bad")}
    same(found, judge(d, delta=1.0, learned=learned, unit="epochs", better="lower"))
    assert found["unit"] == "epochs"
    assert found["samples"] is None


def test_a_claim_against_a_constant():
    found = one_claim(part("good", "bad"), more=(claim("K", _against("good", 0.8)),))
    assert found["level"] == pytest.approx(1 - 0.04 / 2)
    made = design(ARMS, claim("K", _against("good", 0.8)))
    (alone,) = evaluate(made, RUNS, context(SEEDS))["claims"]
    assert alone["estimate"] == pytest.approx(hits("good").mean() - 0.8)


def _against(name, value):
    base = part("good", "bad")
    return type(base)(label="k", measure=base.measure, contrast=against(name, value), delta=0.01)


@pytest.mark.parametrize(("claims", "look"), [(1, 1), (3, 1), (1, 2), (4, 3)])
def test_the_level_pays_for_claims_and_looks(claims, look):
    more = tuple(claim(f"more-{number}", part("good", "bad")) for number in range(claims - 1))
    found = one_claim(part("good", "bad"), look=look, more=more)
    assert found["level"] == pytest.approx(1 - alpha_at(look) / claims)
    assert found["look"] == look


def test_a_claim_of_several_parts_is_judged_in_every_part():
    parts = [
        part("good", "bad", label="accuracy", delta=0.05),
        part("bad", "good", measure="best epoch", label="epochs", delta=1.0),
    ]
    found = one_claim(*parts)
    epochs = {name: np.array([float(run.facts["best_epoch"]) for run in RUNS[name]]) for name in RUNS}
    learned = {name: np.array([True] * 6) for name in ("good", "bad")}
    direct = judge_every(
        {
            "accuracy": Part(hits("good") - hits("bad"), delta=0.05, learned=learned, unit="fraction"),
            "epochs": Part(
                epochs["bad"] - epochs["good"], delta=1.0, learned=learned, unit="epochs", better="lower"
            ),
        }
    )
    same(found, direct)
    assert found["measure"] == {"accuracy": "test accuracy", "epochs": "best epoch"}[direct.weakest]
    assert [(one["label"], one["verdict"]) for one in found["parts"]] == [
        (label, one.verdict) for label, one in direct.parts.items()
    ]
    assert [one["unit"] for one in found["parts"]] == ["fraction", "epochs"]


def test_runs_in_two_groups_are_flagged():
    runs = RUNS | {"good": [fake_run(0.9 if seed < 4 else 0.25, seed) for seed in SEEDS]}
    found = one_claim(part("good", "bad"), runs=runs)
    assert any("4 of 6 runs of good learned" in flag for flag in found["flags"])


def test_gradients_do_not_ask_whether_a_run_has_learnt():
    runs = RUNS | {"good": [fake_run(0.9 if seed < 4 else 0.25, seed) for seed in SEEDS]}
    found = one_claim(part("good", "bad", measure="gradient flow at the start", delta=1.0), runs=runs)
    assert not any("learned" in flag for flag in found["flags"])


def test_diverged_and_untrained_runs_are_listed_and_counted():
    note = "epoch 1, step 1 of 4: the output of blocks.0 is not finite"
    runs = RUNS | {"bad": [*RUNS["bad"][:5], fake_run(0.25, 9, status="diverged", note=note)]}
    result = evaluate(design(ARMS), runs, context(SEEDS))
    assert [run["learned"] for run in result["runs"]] == [True] * 11 + [False]
    last = result["runs"][-1]
    assert (last["arm"], last["seed"], last["status"], last["note"]) == ("bad", 5, "diverged", note)


@pytest.mark.parametrize(
    ("deviations", "predicts", "expected"),
    [
        ((), "supported", True),
        ((), "refuted", False),
        (("data digits instead of mnist", "epochs 3 instead of 21"), "supported", None),
    ],
)
def test_the_published_claim_gets_a_verdict_in_its_own_setting_alone(deviations, predicts, expected):
    published = Published(value="v", source="s", protocol="p")
    made = design(
        ARMS,
        claim("C", part("good", "bad"), published=published, predicts=predicts),
        claim("own", part("good", "bad")),
        deviations=deviations,
    )
    result = evaluate(made, RUNS, context(SEEDS))
    first, own = result["claims"]
    assert first["agrees"] is expected
    assert own["agrees"] is None
    assert first["published"] == {"value": "v", "source": "s", "protocol": "p", "link": ""}
    assert own["published"] is None
    for part_of_result in (result, first):
        assert part_of_result["same_setting"] is (not deviations)
        assert part_of_result["other_setting"] == ("; ".join(deviations) or None)


def test_a_study_with_a_setting_of_its_own_says_nothing_about_agreement():
    published = Published(value="v", source="s", protocol="p")
    made = design(
        ARMS,
        claim("C", part("good", "bad"), published=published),
        claim("exact", part("good", "bad"), published=published, deviations=()),
        claim("own", part("good", "bad")),
        setting=OWN,
    )
    found = evaluate(made, RUNS, context(SEEDS))["claims"]
    assert [one["agrees"] for one in found] == [None, True, None]
    assert [one["other_setting"] for one in found] == [OTHERWISE, None, None]


def test_a_network_that_was_there_before_has_no_seeds_unless_another_is_trained_for_it():
    mine = Given(name="mine", digest="0f")
    coder = TrainAutoencoder(data="digits", model=AutoEncoder(widths=(4,), code=2), recipe=RECIPE)
    scored = Score(net=mine, data="digits", out=("noise",), detectors=(MaxSoftmax(),))
    arms = {
        "mine": scored,
        "trained": dataclasses.replace(scored, net=arm("trained").procedure),
        "with a coder": dataclasses.replace(scored, autoencoder=coder),
        "tuned": FineTune(net=mine, data="digits", policy=LastBlock(), recipe=RECIPE),
    }
    made = design(tuple(dataclasses.replace(arm(name), procedure=one) for name, one in arms.items()))
    asked = study(made, dict.fromkeys(arms, RUNS["good"]), context(SEEDS))
    assert [name for name in arms if asked.is_given(name)] == ["mine"]


def test_arms_on_different_images_are_paired_on_those_that_they_share():
    """One arm is about all images, the other about every second one, and the runs are the same."""

    def rows(run):
        return np.arange(0, len(LABELS), 2 if run.at else 1)

    def right(run):
        table = run.run.table("predictions")
        return (table["prediction"] == table["label"])[rows(run)].astype(float)

    measure = Measure(
        "part right", "fraction", "higher", lambda run: right(run).mean(),
        lambda run: {run.axis("test", rows(run)): right(run)}, range=(0, 1), exact=True,
    )  # fmt: skip
    kinds = PROCEDURES | {"train": dataclasses.replace(PROCEDURES["train"], measures={"part right": measure})}
    arms = (arm("all"), dataclasses.replace(arm("half"), at={"part": "half"}))
    runs = {"all": RUNS["good"], "half": RUNS["good"]}
    made = study(design(arms), runs, context(SEEDS), kinds)
    found = judge_part(part("all", "half", measure="part right"), made).a
    (axis,) = found.axes.values()
    assert axis.shape == (6, len(LABELS))
    np.testing.assert_allclose(axis.mean(axis=1), found.values, atol=1e-12)
    second = np.array([right(one)[::2] for one in made.arms["all"]])
    np.testing.assert_allclose(
        axis[:, ::2], hits("good")[:, ::2] - (2 * second - second.mean(axis=1, keepdims=True))
    )


def test_an_inconclusive_verdict_neither_agrees_nor_disagrees():
    published = Published(value="v", source="s", protocol="p")
    found = one_claim(
        part("good", "good2", delta=0.03),
        arms=(*ARMS, arm("good2")),
        runs=_like_good(),
        published=published,
    )
    assert found["verdict"] == "open"
    assert found["agrees"] is None
    assert found["more_seeds"]


def _like_good():
    runs = [fake_run(0.9 + 0.09 * (-1) ** seed, seed + 50) for seed in SEEDS]
    return RUNS | {"good2": runs}


def test_twins_name_what_differs_and_nothing_else():
    skip, plain = MLP(width=4, depth=2, residual=True), MLP(width=4, depth=2)
    arms = (arm("good", skip), arm("bad", plain, dataclasses.replace(RECIPE, epochs=9)))
    result = evaluate(design(arms, twins=(Twins(a="good", b="bad"),)), RUNS, context(SEEDS))
    (pair,) = result["twins"]
    assert pair["differences"] == ["residual: true / false", "epochs: 3 / 9"]
    assert "parameters 100" in pair["same"]


def test_twins_of_other_size_say_so():
    runs = RUNS | {"bad": [fake_run(0.5, seed, parameters=99) for seed in SEEDS]}
    runs["bad"][2].facts["start"] = "other weights"
    result = evaluate(design(ARMS, twins=(Twins(a="good", b="bad"),)), runs, context(SEEDS))
    assert result["twins"][0]["differences"] == [
        "parameters: 100 / 99",
        "start weights bit-equal in 5 of 6 seeds",
    ]


def test_arms_say_their_layers_and_recipe():
    arms = (arm("good", MLP(width=4, depth=2)), arm("bad", Custom(name="my own net", digest="0f")))
    first, second = evaluate(design(arms), RUNS, context(SEEDS))["arms"]
    assert first["layers"] == "stem 64→4, 2 × 4→4, head 4→4"
    assert first["recipe"] == "Adam 0.01, batch 64, 3 epochs, best validation loss kept"
    assert second["layers"] == "my own net"


def test_cost_is_summed_over_the_runs():
    cost = evaluate(design(ARMS), RUNS, context(SEEDS))["cost"]
    assert cost["seconds"] == 2 * sum(1.5 + seed for seed in SEEDS)
    assert cost["runs"] == 12
    assert cost["peak_memory_mb"] == 60.0
    assert [row["seconds"] for row in cost["per_arm"]] == [24.0, 24.0]


def test_provenance_names_every_version_that_took_part():
    old = {"gradlab": "0", "python": "3", "torch": "2", "commit": "abc", "processor": "p", "date": "d"}
    runs = RUNS | {"bad": [*RUNS["bad"][:5], fake_run(0.5, 5, made=old)]}
    provenance = evaluate(design(ARMS), runs, context(SEEDS))["provenance"]
    assert provenance["gradlab"] == "0 / 1"
    assert provenance["commit"] == "abc"
    assert provenance["torch"] == "2"
    assert (provenance["device"], provenance["precision"], provenance["threads"]) == ("cpu", "fp32", 1)


def test_the_result_is_plain_json_without_nan():
    runs = RUNS | {"bad": [fake_run(0.5, seed) for seed in SEEDS]}
    runs["bad"][0].tables["epochs"]["validation_accuracy"][:] = math.nan
    result = evaluate(design(ARMS, claim("C", part("good", "bad"))), runs, context(SEEDS))
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_one_seed_is_inconclusive_with_an_open_interval():
    runs = {name: of_arm[:1] for name, of_arm in RUNS.items()}
    (found,) = evaluate(design(ARMS, claim("C", part("good", "bad"))), runs, context((0,)))["claims"]
    assert found["verdict"] == "open"
    assert found["interval"] == [None, None]


def test_every_measure_can_carry_a_claim():
    for name in PROCEDURES["train"].measures:
        if name.startswith("robust"):  # of adversarial training alone
            continue
        found = one_claim(part("good", "bad", measure=name, delta=0.5))
        assert found["measure"] == name
        assert math.isfinite(found["estimate"])


def test_a_weighted_contrast_is_what_numpy_gives():
    base = part("good", "bad")
    weighted = type(base)(
        label="w",
        measure="test accuracy",
        contrast=Contrast({"good": 0.5, "bad": -2.0}, constant=0.3),
        delta=0.01,
    )
    assert one_claim(weighted)["estimate"] == pytest.approx(
        0.5 * hits("good").mean() - 2 * hits("bad").mean() + 0.3
    )


def test_a_claim_can_have_a_setting_of_its_own():
    arms = (arm("a"), arm("b"))
    published = Published(value="v", source="lab", protocol="p")
    own = claim("T-1", part("a", "b"), published=published, deviations=())
    other = claim("T-2", part("a", "b"), published=published, deviations=("epochs 3 instead of 20",))
    shared = claim("T-3", part("a", "b"), published=published)
    made = design(arms, own, other, shared, deviations=("data x instead of y",))
    runs = {
        name: [fake_run(accuracy, seed) for seed in range(3)] for name, accuracy in (("a", 0.9), ("b", 0.2))
    }
    found = evaluate(made, runs, context((0, 1, 2)))["claims"]
    assert [one["same_setting"] for one in found] == [True, False, False]
    assert [one["other_setting"] for one in found] == [None, "epochs 3 instead of 20", "data x instead of y"]
    assert [one["agrees"] for one in found] == [True, None, None]
