"""A person's own kinds of procedures, study functions and designs, through `gradlab.run` and `gradlab.verify`."""

import os
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pytest
import torch
from pydantic.dataclasses import dataclass

import gradlab
from gradlab.data import from_tensors, gather
from gradlab.lab import (
    Arm,
    Claim,
    DataName,
    Design,
    Desk,
    Input,
    Job,
    Kind,
    Measure,
    Outcome,
    Part,
    Procedure,
    Table,
)
from gradlab.models import MLP
from gradlab.procedures import Train
from gradlab.reporting import redraw, write_small_form
from gradlab.statistics import difference
from gradlab.studies import Setup
from gradlab.training import Recipe
from gradlab.types import STRICT, Fraction, UserError

QUIET = {"device": "cpu", "progress": False, "seeds": 2}
PROCESSES = []


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Dim(Procedure):
    """Predict test images of less light."""

    kind: Literal["dim"] = "dim"
    net: Input
    data: DataName
    light: tuple[Fraction, ...]


def work(procedure: Dim, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    PROCESSES.append(os.getpid())
    test = desk.data(procedure.data).test
    images = gather(test, torch.arange(len(test)))
    for job in jobs:
        with torch.no_grad():
            predicted = [job.network()(images * light).argmax(1).numpy() for light in procedure.light]
        table = {
            "light": np.repeat(np.array(procedure.light), len(test)),
            "label": np.tile(test.labels.numpy(), len(predicted)),
            "prediction": np.concatenate(predicted),
        }
        yield Outcome({"status": "finished", "note": None}, {"dimmed": table})


def hits(run):
    table = run.table("dimmed")
    return (table["prediction"] == table["label"]).astype(float)


MEASURE = Measure(
    "accuracy in the dark",
    "fraction",
    "higher",
    lambda run: float(hits(run).mean()),
    lambda run: {run.axis("test"): hits(run)},
    range=(0, 1),
    exact=True,
)
DIM = Kind(
    name="dim",
    title="dimming",
    configuration=Dim,
    work=work,
    tables={"dimmed": {}},
    measures={MEASURE.name: MEASURE},
)


def dark(setup: Setup, *, light: tuple[Fraction, ...] = (1.0, 0.2), epochs: int = 4) -> Design:
    net = Train(data=setup.data, model=MLP(width=8, depth=1), recipe=Recipe(epochs=epochs, batch_size=32))
    dimmed = Dim(net=net, data=setup.data, light=light)
    arms = tuple(
        Arm(
            name=f"light-{one:g}",
            label=f"light {one:g}",
            factors={"light": one},
            procedure=dimmed,
            at={"light": one},
        )
        for one in light
    )
    part = Part(
        label="full - least",
        measure="accuracy in the dark",
        contrast=difference(arms[0].name, arms[-1].name),
        delta=0.01,
    )
    return Design(
        study="dark",
        title="In the dark",
        question="Does a network need light?",
        background="",
        setting="own",
        setting_text="a small MLP",
        deviations=("own",),
        parameters={"light": list(light), "epochs": epochs},
        arms=arms,
        claims=(Claim(id="dark-1", statement="It does", parts=(part,)),),
        tables=(Table(name="dark", title="", caption="", measures=("accuracy in the dark",)),),
        figures=(),
    )


def stripes():
    """Images (120, 1, 6, 6) whose class is the brightest third."""
    labels = torch.arange(120) % 3
    images = torch.randint(
        0, 120, (120, 1, 6, 6), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    for row, label in enumerate(labels.tolist()):
        images[row, :, 2 * label : 2 * label + 2] += 120
    return from_tensors(images, labels, name="stripes")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("own") / "runs"


@pytest.fixture(scope="module")
def finished(out):
    return gradlab.run(dark, data=stripes(), out=out, procedures=[DIM], **QUIET)


def records_of(result):
    records = result.folder.parent.parent / "records"
    return {path: path.stat().st_mtime_ns for path in records.rglob("*") if path.is_file()}


def test_an_own_kind_measures_what_its_network_says(finished):
    from gradlab.procedures._networks import network_of

    test = stripes().test
    images = gather(test, torch.arange(len(test)))
    trained = {run["record"] for run in finished.results["rests_on"]}
    shares = []
    for seed in (0, 1):
        below = finished.record("light-0.2", seed).spec["inputs"]["net"]
        assert below in trained
        network = network_of(gradlab.lab.load(finished.folder.parent.parent / "records" / below))
        right = [network(images * light).argmax(1) == test.labels for light in (1.0, 0.2)]
        shares.append([float(one.double().mean()) for one in right])
    by_seed = finished.tables["dark"]["accuracy in the dark by seed"]
    assert np.allclose(np.array(by_seed.tolist()).T, shares, atol=1e-12)
    assert finished.claims.estimate[0] == pytest.approx(np.mean([full - least for full, least in shares]))
    assert len(set(np.ravel(shares))) > 1  # light matters, so that slices mixed up are noticed


def test_arms_that_are_slices_share_one_record(finished):
    named = {(run["arm"], run["seed"]): run["record"] for run in finished.results["runs"]}
    assert named["light-1", 0] == named["light-0.2", 0] != named["light-1", 1]


def test_its_command_names_function_and_kinds(finished):
    assert finished.results["provenance"]["command"] == (
        "gradlab.run(dark, preset='quick', data='stripes', seeds=2, procedures={dim})"
    )


def test_a_finished_design_is_the_same_study_and_runs_nothing_again(finished, out):
    data = stripes()
    setup = Setup(preset="quick", data="stripes", train_images=96, class_count=3, checksum=data.checksum)
    before = records_of(finished)
    again = gradlab.run(dark(setup), data=data, out=out, procedures=[DIM], **QUIET)
    assert records_of(again) == before
    assert again.results["claims"] == finished.results["claims"]
    assert again.results["provenance"]["command"].startswith("gradlab.run(design, ")


def test_parameters_of_an_own_function_are_checked(out):
    with pytest.raises(UserError, match="study 'dark' has no parameter 'lights'; did you mean 'light'"):
        gradlab.run(dark, data=stripes(), out=out, lights=(1.0,), procedures=[DIM], **QUIET)
    with pytest.raises(UserError, match="does not fit study 'dark'"):
        gradlab.run(dark, data=stripes(), out=out, light=(3.0,), procedures=[DIM], **QUIET)


def test_results_of_an_own_kind_are_verified_with_it_and_refused_without(finished, tmp_path):
    assert gradlab.verify(finished.folder, procedures=[DIM])[0].is_sound
    (without,) = gradlab.verify(finished.folder)
    assert without.differences == (
        "results rest on runs of kind 'dim', which gradlab does not know; verify them in Python with its Kind: "
        "gradlab.verify(path, procedures=[...])",
    )
    assert redraw(finished.folder, procedures=[DIM]) == [finished.folder]
    small = tmp_path / "small"
    write_small_form([finished.folder], small, procedures=[DIM])
    assert gradlab.verify(small, procedures=[DIM])[0].is_sound


@pytest.mark.slow
def test_an_own_kind_runs_in_this_process_and_training_on_workers(tmp_path, monkeypatch):
    from gradlab.lab.running import executing as running

    away, real = [], running.run_units

    def noted(units, *more, **named):
        away.extend(unit.procedure.kind for unit in units)
        real(units, *more, **named)

    monkeypatch.setattr(running, "run_units", noted)
    PROCESSES.clear()
    gradlab.run(dark, data="digits", epochs=1, out=tmp_path / "runs", procedures=[DIM], **QUIET)
    assert set(away) == {"train"}
    assert set(PROCESSES) == {os.getpid()}


def unnamed() -> Kind:
    @dataclass(frozen=True, kw_only=True, config=STRICT)
    class Other(Procedure):
        kind: Literal["another"] = "another"

    return Kind(name="other", title="other", configuration=Other)


@pytest.mark.parametrize(
    ("study", "more", "text"),
    [
        pytest.param(
            dark, {}, "has runs of kind 'dim', which gradlab does not know; pass its Kind", id="unknown"
        ),
        pytest.param(dark, {"procedures": [DIM, DIM]}, "kind of procedure called 'dim' already", id="twice"),
        pytest.param(
            "tour",
            {"procedures": [Kind(name="attack", title="", configuration=Dim)]},
            "called 'attack' already; give yours another name",
            id="taken",
        ),
        pytest.param(dark, {"procedures": [unnamed()]}, "needs the field kind: Literal", id="configuration"),
        pytest.param(
            lambda _: None,
            {},
            "must return a gradlab.lab.Design, got NoneType",
            id="no design",
        ),
        pytest.param(
            dark(Setup(preset="quick", data="mnist", train_images=9, class_count=3)),
            {"procedures": [DIM]},
            "study 'dark' reads mnist, not 'stripes'; say so with data=",
            id="other data",
        ),
        pytest.param(3, {}, "unknown study '3'", id="number"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, study, more, text):
    with pytest.raises(UserError) as caught:
        gradlab.run(study, data=stripes(), out=tmp_path / "runs", **more, **QUIET)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
