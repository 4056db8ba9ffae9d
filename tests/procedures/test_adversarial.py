"""Adversarial training as a procedure: what `fit` gives, hashes of old specs, stops and resumes, and its flag."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gradlab.attacks import FGSM, OBJECTIVES, MadryTraining, MixedTraining
from gradlab.lab import load
from gradlab.lab.designing.procedure import dump_procedure
from gradlab.lab.judging.results import Results
from gradlab.procedures import PROCEDURES, network_of
from gradlab.procedures._training_measures import robust_alarms
from gradlab.procedures.train import TRAIN
from gradlab.report._alarms import alarms_view
from gradlab.training import Recipe, fit, fit_stacked
from gradlab.types import UserError
from tests.lab.fakes import fake_run, results
from tests.procedures.examples import DATA, NET, run

MADRY = MadryTraining(eps=0.1, steps=2, validation_steps=2)
PROCEDURE = replace(NET, objective=MADRY, probe_steps=())
STRIPES = DATA["stripes"]


def built(seeds):
    return [NET.model.build((1, 6, 6), 3, seed=seed, mean=STRIPES.mean, std=STRIPES.std) for seed in seeds]


def record_of(out, procedure, seed=0):
    return load(out / "records" / run(out, procedure, (seed,))["runs"][0]["record"])


class Killed(BaseException):
    """A process that dies in the middle."""


def test_a_record_holds_what_fit_with_this_objective_gives(tmp_path):
    record = record_of(tmp_path, PROCEDURE)
    block = fit_stacked(
        built(range(6)), STRIPES, NET.recipe, seeds=range(6), objective=MADRY, progress=False, device="cpu"
    )
    history = block[0].history
    for name in ("train_loss", "validation_loss", "validation_robust_accuracy"):
        assert np.array_equal(record.table("epochs")[name], [row[name] for row in history])
    for name, value in network_of(record).state_dict().items():
        assert torch.equal(value, block[0].model.state_dict()[name])
    found = Results(record, TRAIN)
    best = record.facts["best_epoch"] - 1
    robust = [row["validation_robust_accuracy"] for row in history]
    assert TRAIN.measures["robust validation accuracy"].value(found) == robust[best]
    assert TRAIN.measures["robust overfitting"].value(found) == max(robust) - robust[-1]
    assert "Madry training with PGD of 2 steps" in TRAIN.describe(PROCEDURE, found)["recipe"]


def test_a_spec_without_an_objective_says_nothing_of_it_and_each_objective_is_another_spec():
    assert "objective" not in dump_procedure(NET)
    dumps = [dump_procedure(replace(NET, objective=form())) for form in OBJECTIVES.values()]
    assert [one["objective"]["kind"] for one in dumps] == list(OBJECTIVES)


def test_mixed_training_runs_a_seed_at_a_time_and_the_others_in_blocks(tmp_path):
    mixed = replace(PROCEDURE, objective=MixedTraining(attack=FGSM(eps=0.1), validation_steps=1))
    assert [TRAIN.block(one, "fp32") for one in (NET, PROCEDURE, mixed)] == [6, 6, 1]
    record = record_of(tmp_path, mixed)
    (alone,) = built([0])
    made = fit(alone, STRIPES, NET.recipe, objective=mixed.objective, progress=False, device="cpu")
    for name, value in network_of(record).state_dict().items():
        assert torch.equal(value, made.model.state_dict()[name])


def test_a_training_that_was_killed_goes_on_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("gradlab.procedures._fits.CHECKPOINT_SECONDS", 0.0)
    whole = record_of(tmp_path / "whole", PROCEDURE)

    def kill(event):
        if event["event"] == "progress" and event["share"] > 0.5:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "cut", PROCEDURE, (0,), on_event=kill)
    resumed = record_of(tmp_path / "cut", PROCEDURE)
    assert resumed.hash == whole.hash
    assert resumed.manifest["tables"] == whole.manifest["tables"]
    assert resumed.manifest["files"]["weights.safetensors"] == whole.manifest["files"]["weights.safetensors"]


def test_it_takes_longer_than_ordinary_training():
    counts = {"stripes": {"train": 80}}
    assert TRAIN.cost(PROCEDURE, counts) == 3 * TRAIN.cost(NET, counts)


def test_a_recipe_that_changes_labels_is_refused():
    with pytest.raises(UserError, match="drop label smoothing and mixing"):
        replace(PROCEDURE, recipe=Recipe(label_smoothing=0.1))


def with_robust(values):
    run_ = fake_run(0.5)
    run_.tables["epochs"] = {**run_.epochs, "validation_robust_accuracy": np.array(values)}
    return results(run_)


def test_a_collapse_raises_an_alarm_with_its_epoch_and_how_many_runs_had_it():
    runs = [with_robust(values) for values in ([0.4, 0.5, 0.02], [0.4, 0.01, 0.0], [0.4, 0.5, 0.45])]
    (alarm,) = robust_alarms("fast", runs)
    assert (alarm["seeds"], alarm["runs"], alarm["when"]) == (2, 3, "from epoch 2")
    assert alarm in PROCEDURES["train"].alarms("fast", runs)
    view = alarms_view({"alarms": [alarm]})
    assert view["lead"].endswith("looks at the robust accuracy after every epoch.")
    assert view["rows"] == [["fast", "from epoch 2", f"{alarm['text']} (2 of 3)"]]
    assert robust_alarms("madry", runs[2:]) == robust_alarms("plain", [results(fake_run(0.5))]) == []
