import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import gradlab
from gradlab.data import from_tensors, from_texts, load
from gradlab.models import MLP, wrap
from gradlab.preparing import prepare
from gradlab.procedures._networks import network_of
from gradlab.types import UserError
from tests.data import make

QUIET = {"device": "cpu", "progress": False}


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GRADLAB_DATA", raising=False)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def stripes(count: int = 120, seed: int = 0):
    """Images (N, 3, 6, 6) whose class is the brightest third, which every network can learn."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.randint(0, 120, (count, 3, 6, 6), generator=generator, dtype=torch.uint8)
    for row, label in enumerate(labels.tolist()):
        images[row, :, 2 * label : 2 * label + 2] += 120
    return images, labels


def net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(108, 8), nn.ReLU(), nn.Linear(8, 3))


def test_a_persons_own_tensors_go_through_a_whole_study(tmp_path):
    data = from_tensors(*stripes(), class_names=("top", "middle", "bottom"), name="stripes")
    result = gradlab.run("residual-mlp", data=data, depths=(2,), width=8, epochs=3, seeds=2, **QUIET)
    assert result.folder.parent == Path("runs/reports")
    assert result.folder.name.startswith("residual-mlp-stripes-quick-depths-2-width-8-epochs-3-seeds-2")
    assert result.results["data"] == "stripes"
    assert result.results["provenance"]["data_checksum"] == data.checksum
    matrix = next(figure for figure in result.results["figures"] if figure["name"] == "confusion")
    assert matrix["labels"] == ["top", "middle", "bottom"]
    assert result.results["provenance"]["command"] == (
        "gradlab.run('residual-mlp', preset='quick', data='stripes', seeds=2, depths=(2,), width=8, epochs=3)"
    )
    from gradlab.verification import verify

    assert verify(tmp_path / "runs")[0].is_sound


def test_a_module_a_wrapped_one_a_function_and_an_mlp_are_compared():
    images, labels = stripes()
    data = from_tensors(images, labels, name="stripes")

    def make_wide(seed: int) -> nn.Module:
        module = nn.Sequential(nn.Flatten(), nn.Linear(108, 16), nn.ReLU(), nn.Linear(16, 3))
        gradlab.models.reinitialise(module, seed)
        return module

    result = gradlab.run(
        "compare",
        models={
            "module": net(),
            "normalised": wrap(net(), mean=data.mean, std=data.std),
            "function": make_wide,
            "mlp": MLP(width=8, depth=1),
        },
        data=data,
        epochs=3,
        seeds=2,
        **QUIET,
    )
    assert list(result.claims["id"]) == ["compare-1", "compare-2", "compare-3"]
    assert [arm["name"] for arm in result.results["arms"]] == ["module", "normalised", "function", "mlp"]
    assert {run["status"] for run in result.results["runs"]} == {"finished"}
    for seed in (0, 1):
        spec = json.loads((result.record("function", seed).folder / "spec.json").read_text())
        assert spec["procedure"]["model"]["name"] == "function"
        assert re.fullmatch("[0-9a-f]{20}", spec["procedure"]["model"]["digest"])
    with pytest.raises(UserError, match="trained your own module 'module'"):
        network_of(result.record("module", 0))
    assert isinstance(network_of(result.record("mlp", 1)), gradlab.models.MLPNetwork)
    command = result.results["provenance"]["command"]
    assert "models={module, normalised, function, mlp}" in command
    assert " at 0x" not in result.report.read_text()


def test_a_comparison_asked_again_trains_nothing_until_the_code_changes(tmp_path):
    data = from_tensors(*stripes(), name="stripes")
    module = net()

    def ask(mine):
        models = {"mine": mine, "mlp": MLP(width=4)}
        return gradlab.run("compare", models=models, data=data, epochs=2, seeds=2, **QUIET)

    first = ask(module)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "records").rglob("*")}
    with torch.no_grad():
        module[1].weight.add_(1)  # drawn anew for every seed, so its present values do not matter
    again = ask(module)
    assert again.results == first.results
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs" / "records").rglob("*")} == kept
    other = nn.Sequential(nn.Flatten(), nn.Linear(108, 8), nn.Tanh(), nn.Linear(8, 3))
    assert ask(other).record("mine", 0).hash != first.record("mine", 0).hash


@pytest.mark.slow
def test_a_folder_of_class_folders_goes_through_a_whole_study_on_worker_processes(tmp_path):
    rng = np.random.default_rng(0)
    make.class_folders(tmp_path / "pets", rng, {"cat": 40, "dog": 40})
    models = {"mine": nn.Sequential(nn.Flatten(), nn.Linear(108, 2)), "mlp": MLP(width=3)}
    result = gradlab.run("compare", models=models, data="./pets", epochs=1, seeds=2, **QUIET)
    assert result.results["data"] == "pets"
    assert result.results["figures"][1]["labels"] == ["cat", "dog"]
    assert str(tmp_path) not in (result.folder / "results.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"study": "residual"}, "unknown study 'residual'; did you mean 'residual-mlp'"),
        ({"preset": "fast"}, "unknown preset 'fast'"),
        ({"precision": "int8"}, "unknown precision 'int8'"),
        ({"seeds": 0}, "seeds counts repetitions and must be at least 1, got 0"),
        ({"seeds": 2.5}, "seeds counts repetitions and must be at least 1, got 2.5"),
        ({"seeds": "3"}, "must be at least 1, got '3'"),
        ({"first_seed": -1}, "first_seed must be a whole number from 0 to 2147483647, got -1"),
        ({"data": 3}, "data must be a name, a path or a gradlab.data.Dataset, got int"),
        ({"data": torch.zeros(3, 1, 8, 8)}, "got Tensor; gradlab.data.from_tensors"),
        ({"depth": (2,)}, "has no parameter 'depth'; did you mean 'depths'"),
        ({"depths": 2}, "depths=2 does not fit study 'residual-mlp'"),
        ({"tracker": "mlflow"}, "unknown tracker 'mlflow'"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"data": "nowhere"}, "No data set is called 'nowhere'"),
    ],
)
def test_a_mistake_is_one_exception_with_one_sentence(tmp_path, arguments, text):
    study = arguments.pop("study", "residual-mlp")
    with pytest.raises(UserError) as caught:
        gradlab.run(study, **(QUIET | arguments))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    records = tmp_path / "runs" / "records"
    assert not records.exists() or not any(records.iterdir())


@pytest.mark.parametrize(
    ("models", "text"),
    [
        ({"a": net, "b": MLP()}, "takes 0 positional arguments|must give a torch.nn.Module"),
        ({"a": nn.Linear, "b": MLP()}, "'a' is a class; pass a module, such as Linear"),
        (
            {"a": 3, "b": MLP()},
            "'a' must be a torch.nn.Module, a function seed -> module or a gradlab.models.MLP, got int",
        ),
        (
            {"a": nn.Sequential(nn.Flatten(), nn.Linear(108, 7)), "b": MLP()},
            "returns 7 logits, but the data has 3 classes",
        ),
        ({"a": nn.Sequential(nn.Flatten(), nn.Linear(9, 3)), "b": MLP()}, "cannot read images of shape"),
        (
            {"a": nn.Sequential(nn.Flatten(), nn.Linear(108, 3)).requires_grad_(False), "b": MLP()},
            "no trainable parameter",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_one_sentence(models, text):
    data = from_tensors(*stripes(), name="stripes")
    with pytest.raises((UserError, TypeError), match=text):
        gradlab.run("compare", models=models, data=data, epochs=1, seeds=1, **QUIET)


def test_data_without_a_part_that_is_needed_are_refused(digits):
    import dataclasses

    for part in ("train", "test"):
        data = dataclasses.replace(digits, **{part: None})
        with pytest.raises(
            UserError, match=f"'digits' has no {part} part here, and study 'residual-mlp' needs them"
        ):
            gradlab.run("residual-mlp", data=data, **QUIET)


def given(**more):
    return {
        "preset": "quick", "data": "digits", "data_dir": None, "seeds": 6, "first_seed": 0, "device": "cpu",
        "precision": "fp32", "out": "runs", "parameters": {}, "command": None,
    } | more  # fmt: skip


def test_preparing_runs_nothing_and_touches_nothing(tmp_path):
    design, request, facts = prepare("residual-mlp", **given(first_seed=4, seeds=3))
    assert request.seeds == (4, 5, 6)
    assert design.study == "residual-mlp"
    assert facts.name == "digits"
    assert not (tmp_path / "runs").exists()
    assert request.command == "gradlab run residual-mlp --preset quick --data digits --seeds 3 --first-seed 4"


def test_the_setup_tells_the_study_about_the_data():
    design, _, _ = prepare("residual-mlp", **given(precision="bf16"))
    assert "precision bf16 instead of fp32" in design.deviations
    assert design.arms[0].procedure.recipe.batch_size == 32  # small data


def test_a_report_is_named_after_study_data_preset_and_what_else_was_asked_for():
    names = {
        prepare("residual-mlp", **given(parameters=parameters))[1].report
        for parameters in ({}, {"setting": "003"}, {"setting": "004"})
    }
    assert len(names) == 2
    assert all(name.startswith("residual-mlp-digits-quick") for name in names)


def test_a_report_has_a_name_that_can_be_a_folders():
    data = from_tensors(*stripes(), name="my / pictures: 2")
    assert "/" not in prepare("residual-mlp", **given(data=data))[1].report


def test_a_plan_takes_the_arguments_of_a_run():
    with pytest.raises(UserError, match="must be at least 1, got 0"):
        gradlab.plan("residual-mlp", seeds=0)
    with pytest.raises(UserError, match="has no parameter 'epoch'"):
        gradlab.plan("residual-mlp", epoch=3)
    with pytest.raises(UserError, match="plan times data sets and models that have a name"):
        gradlab.plan("residual-mlp", data=from_tensors(*stripes(), name="stripes"))


@pytest.mark.slow
def test_a_study_of_finished_runs_holds_its_folder_until_the_report_is_written(tmp_path, monkeypatch):
    from gradlab.lab.records.prune import prune

    options = {"depths": (2,), "width": 4, "epochs": 1, "seeds": 2, **QUIET}
    first = gradlab.run("residual-mlp", **options)
    refused = []

    def write(_results, folder, **_more):
        with pytest.raises(UserError, match="a study is running in runs"):
            prune(Path("runs"))
        refused.append(folder)

    monkeypatch.setattr("gradlab.running.write_when_changed", write)
    gradlab.run("residual-mlp", **options)
    assert refused == [first.folder]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert prune(Path("runs")).leftovers == ()


def sentences(count: int = 60):
    """A data set of one word that decides, and a number."""
    texts = [f"a {'fine' if row % 2 else 'poor'} film , scene {row}" for row in range(count)]
    return from_texts(texts, ["good" if row % 2 else "bad" for row in range(count)], name="reviews")


def test_a_persons_own_sentences_go_through_a_whole_study_and_what_is_made_of_them_as_well(tmp_path):
    pytest.importorskip("transformers")
    data = sentences()
    result = gradlab.run("text-layers", data=data, layers=(1, 2), dim=8, epochs=1, seeds=2, **QUIET)
    assert result.results["data"] == "reviews"
    assert result.results["provenance"]["data_checksum"] == data.checksum
    design, request, _ = prepare("text-finetuning", **given(data=sentences(1000)))
    assert {arm.procedure.data for arm in design.arms} == {"reviews#200"}
    assert request.info("reviews#200").counts["train"] == 400
    assert request.memory["reviews#200"].train.texts[0] in sentences(1000).train.texts

    from gradlab.verification import verify

    assert verify(tmp_path / "runs")[0].is_sound


def test_other_data_is_refused_with_what_makes_data_of_ones_own():
    with pytest.raises(UserError, match=r"from_texts\(texts, labels\) one of sentences"):
        gradlab.run("text-layers", data=["a text"], **QUIET)
