import json
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from gradlab.lab.running.local import usable_cores
from gradlab.models import NETS, Model, load
from gradlab.models.saved import read_facts
from gradlab.training import RECIPES, Recipe

SMALL = ["train", "mlp", "--width", "6", "--depth", "1", "--epochs", "2", "--batch-size", "64"]


@pytest.fixture
def in_this_process(monkeypatch):
    """Train here: a worker process has to load torch first, and one test with a worker is enough."""
    monkeypatch.setattr("gradlab.lab.running.executing.lives_here", lambda *_: True)


@pytest.mark.slow
def test_a_model_is_trained_and_kept_and_nothing_else_overwritten(ask, tmp_path):
    answer = ask(*SMALL, "--out", tmp_path / "model", "--seed", "4", "--runs", "mine")
    assert answer.code == 0
    facts = read_facts(tmp_path / "model")
    text = answer.out
    assert "network     stem 64→6, 1 × 6→6, head 6→10" in text
    assert "502 parameters (0 frozen), 960 FLOPs an image" in text
    assert 64 * 6 + 6 + 36 + 6 + 60 + 10 == 502
    assert 2 * (64 * 6 + 36 + 60) == 960
    assert "training    finished after 2 epochs" in text
    for role in ("validation", "test"):
        assert f"accuracy {facts['metrics'][role]['accuracy']:.4f} [" in text
    assert text.endswith(f"Model: {tmp_path / 'model'}\n")
    assert answer.err.startswith("1/2 epochs · loss ")
    assert (facts["seed"], facts["model"]["width"]) == (4, 6)
    assert load(tmp_path / "model").head.out_features == 10
    assert (tmp_path / "mine" / "records" / facts["record"] / "manifest.json").exists()
    assert not (tmp_path / "runs").exists()
    assert ask("evaluate", facts["record"][:8], "--runs", "mine").code == 0
    again = ask(*SMALL, "--out", tmp_path / "model", "--seed", "4", "--runs", "mine")
    assert again.out.startswith("This model is finished; nothing was trained.\n")
    assert again.err == ""
    other = "holds another model (other seed); give another --out"
    assert other in ask(*SMALL, "--seed", 1, "--out", tmp_path / "model").sentence
    (tmp_path / "notes.txt").write_text("mine")
    assert "holds something else" in ask(*SMALL, "--out", tmp_path).sentence


@pytest.mark.usefixtures("in_this_process")
def test_every_kind_of_option_reaches_the_training(ask, tmp_path):
    answer = ask(
        *SMALL, "--residual", "--no-stem-activation", "--optimizer", "sgd", "--momentum", "0.9", "--schedule", "cosine",
        "--schedule.floor", "0.2", "--stopping", "patience", "--stopping.patience", "7", "--out", tmp_path / "m", "--json",
    )  # fmt: skip
    facts = json.loads(answer.out)
    assert (facts["model"]["residual"], facts["model"]["stem_activation"]) == (True, False)
    assert facts["recipe"]["momentum"] == 0.9
    assert facts["recipe"]["schedule"] == {"kind": "cosine", "floor": 0.2}
    assert facts["recipe"]["stopping"]["patience"] == 7
    assert facts["was_there"] is False


@pytest.mark.usefixtures("in_this_process")
def test_widths_are_a_list(ask, tmp_path):
    facts = json.loads(ask("train", "mlp", "--widths", "9", "5", "--epochs", "1", "--json").out)
    assert facts["model"]["widths"] == [9, 5]
    assert facts["folder"] == "models/mlp-digits"
    assert (tmp_path / "models" / "mlp-digits" / "model.json").exists()


@pytest.mark.usefixtures("in_this_process")
def test_the_default_network_learns_the_digits(ask):
    facts = json.loads(ask("train", "mlp", "--json").out)
    assert facts["metrics"]["test"]["accuracy"] > 0.93


@pytest.mark.usefixtures("in_this_process")
def test_a_folder_of_class_folders_is_data(ask, tmp_path):
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for name, brightness in (("day", 170), ("night", 80)):
        (tmp_path / "skies" / name).mkdir(parents=True)
        for number in range(30):
            pixels = rng.normal(brightness, 30, (6, 5, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "skies" / name / f"{number}.png")
    answer = ask("train", "mlp", "--data", "skies", "--epochs", "3", "--batch-size", "8")
    assert answer.code == 0
    assert "The source has no test part: 12 of 60 training images" in answer.out
    assert read_facts(tmp_path / "models" / "mlp-skies")["class_names"] == ["day", "night"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--learning-rate", "0"], "--learning-rate should be greater than 0, got 0.0."),
        (["--width", "2.5"], "--width cannot be '2.5'; expected a whole number."),
        (["--depth", "-1"], "depth counts the linear layers"),
        (["--optimizer", "adma"], "--optimizer cannot be 'adma'; did you mean 'adam'?"),
        (["--augmentation", "ligth"], "--augmentation cannot be 'ligth'; did you mean 'light'?"),
        (["--augmentation", "mixup"], "--augmentation cannot be 'mixup'; give it to --mixing."),
        (["--augmentation"], "--augmentation needs at least one value; leave it out for its default."),
        (["--widths", "8", "x"], "--widths takes whole numbers, got 'x'."),
        (["--widths"], "--widths needs at least one value"),
        (["--mixing", "mixup", "--mixing.alpha", "-1"], "--mixing.alpha must lie in [0, 100], got -1."),
        (["--data", ""], "an empty name names no data"),
        (["--seed", "-1"], "seed must be a whole number from 0 to 2147483647"),
        (["--seed", "9" * 30], "seed must be a whole number"),
        (["--dept", "2"], "unknown option '--dept'; did you mean '--depth'?"),
        (["--data", "mnsit"], "No data set is called 'mnsit'"),
        (["--data", "noise"], "has no train part"),
        (["--precision", "fp16", "--device", "cpu"], "fp16 on a CPU"),
        (["--threads", "0"], "threads counts those of PyTorch"),
        (["--widths", "8", "4", "--width", "3"], "width 3 would be ignored; leave one out."),
        (["--widths", "8", "--depth", "3"], "widths say the depth themselves, and (8,) have depth 0"),
        (["--residual", "--widths", "4", "5"], "a residual MLP needs one width"),
    ],
)
def test_a_mistake_is_one_sentence(ask, words, sentence):
    assert sentence in ask("train", "mlp", *words).sentence


def test_an_unknown_model_gets_the_nearest(ask):
    assert ask("train", "mpl").sentence == "there is no network 'mpl'; did you mean 'mlp'?"
    assert ask("train", "resnet19").sentence == "there is no network 'resnet19'; did you mean 'resnet18'?"
    assert "known are fast, fast-bf16" in ask("train", "resnet20", "--recipe", "slow").sentence
    assert "say which network to train, such as gradlab train resnet20" in ask("train").sentence


@pytest.mark.slow
def test_a_named_network_trains_by_a_named_recipe_whose_fields_options_change(ask):
    words = ("--recipe", "fast", "--epochs", "1", "--batch-size", "300", "--json")
    facts = json.loads(ask("train", "constant_32_4", *words).out)
    fast = RECIPES["fast"].recipe
    assert facts["folder"] == "models/constant_32_4-digits"
    assert TypeAdapter(Model).validate_python(facts["model"]) == NETS["constant-32-4"].config
    changed = replace(fast, epochs=1, batch_size=300, sizes=())
    assert TypeAdapter(Recipe).validate_python(facts["recipe"]) == changed
    assert facts["training"]["threads"] == usable_cores()
    assert facts["training"]["epochs"] == 1


@pytest.mark.usefixtures("in_this_process")
def test_the_number_format_is_that_of_the_recipe_unless_one_is_asked_for(ask, monkeypatch):
    monkeypatch.setattr("gradlab.training.number_format._measured", lambda: 2.26)
    monkeypatch.setattr("gradlab.training.number_format.bf16_units", lambda: None)
    words = ("train", "mlp", "--recipe", "fast-bf16", "--epochs", "1", "--json")
    for more, expected in ((), "bf16"), (("--precision", "fp32", "--out", "models/full"), "fp32"):
        answer = ask(*words, *more)
        facts = json.loads(answer.out)
        told = answer.err.startswith("bf16 takes 2.3 × the time of fp32 (no bf16 units on this ")
        assert told is (expected == "bf16")
        assert facts["precision"] == expected
        assert facts["recipe"].get("precision", "fp32") == expected


@pytest.mark.usefixtures("in_this_process")
def test_a_cnn_is_trained_as_well(ask):
    facts = json.loads(ask("train", "cnn", "--widths", "4", "--epochs", "1", "--json").out)
    assert (facts["folder"], facts["model"]["widths"]) == ("models/cnn-digits", [4])
