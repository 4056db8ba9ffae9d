"""Costs of judging a network: in proportion to the network, and in seconds from a pass that was timed."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from gradlab.data import from_texts, load
from gradlab.lab.running.performing import Bench, measure
from gradlab.lab.running.units import Unit
from gradlab.models import CNN, MLP, FastCNN, ViT
from gradlab.procedures import PROCEDURES, TOOLBOX, _pace
from gradlab.procedures.sources import Given
from gradlab.procedures.train import Train
from gradlab.training import Recipe
from tests.procedures.examples import EXAMPLES, NET

JUDGES = ("attack", "certify", "disturb", "explain", "score", "snapshot")
COUNTS = {name: {"train": 400, "test": 360} for name in ("stripes", "noise", "flat")}


def cost_of(procedure):
    return PROCEDURES[procedure.kind].cost(procedure, COUNTS)


@pytest.mark.parametrize("kind", JUDGES)
def test_a_network_twice_as_dear_doubles_what_judging_it_costs(kind):
    """Half the batch for the same step is twice as much for every image."""
    example = EXAMPLES[kind]
    dearer = replace(example.net, recipe=replace(NET.recipe, batch_size=16, snapshots=(1, 2)))
    assert cost_of(replace(example, net=dearer)) == pytest.approx(2 * cost_of(example))


@pytest.mark.parametrize(
    ("model", "step"),
    [
        (MLP(depth=3), 8.0),
        (CNN(blocks=2, widths=(4, 4)), 120.0),
        (ViT(depth=2), 60.0),
        (FastCNN(), 180.0),
    ],
)
def test_a_pass_costs_what_it_does_in_training(model, step):
    """Judging as many images as training saw, forward and back, costs as much."""
    net = Train(data="digits", model=model, recipe=Recipe(epochs=1, batch_size=32))
    trained = PROCEDURES["train"].cost(net, {"digits": {"train": 4 * _pace.IMAGES}})
    assert trained == pytest.approx(4 * _pace.IMAGES / 32 * step)
    assert 4 * _pace.pass_cost(net) == pytest.approx(trained)
    assert _pace.pass_cost(EXAMPLES["snapshot"]) == _pace.pass_cost(NET)


def test_what_is_not_known_of_a_network_costs_as_much_as_a_cnn():
    assert _pace.pass_cost(Given(name="mine", digest="0f")) == 240


def desk_and_job(monkeypatch, data):
    """A desk with that data, a job with a small network, and a clock that moves on one second each time it is read."""
    ticks = iter(range(1000))
    monkeypatch.setattr(_pace, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    network = MLP(width=4).build((1, 8, 8), 10, seed=0).eval()
    return SimpleNamespace(data=lambda _: data, device="cpu"), SimpleNamespace(network=lambda: network)


def test_seconds_are_those_of_a_pass_of_128_images(monkeypatch):
    desk, job = desk_and_job(monkeypatch, load("digits"))
    attack = replace(EXAMPLES["attack"], data="digits", images=128)
    pace = _pace.pass_seconds(attack, job, desk)
    assert pace * cost_of(attack) == pytest.approx(len(attack.eps) * attack.by.steps)
    few = replace(load("digits"), test=load("digits").test[:32])
    desk, job = desk_and_job(monkeypatch, few)
    assert _pace.pass_seconds(attack, job, desk) == pytest.approx(4 * pace)


def test_a_score_of_texts_is_not_timed(monkeypatch):
    texts = from_texts(["a b"] * 8, [0, 1] * 4, class_names=("x", "y"))
    desk, job = desk_and_job(monkeypatch, texts)
    assert _pace.pass_seconds(EXAMPLES["score"], job, desk) is None


def test_a_unit_takes_its_cost_at_that_pace(tmp_path):
    kind = replace(PROCEDURES["attack"], pace=lambda *_: 0.25)
    toolbox = replace(TOOLBOX, kinds=TOOLBOX.kinds | {"attack": kind})
    bench = Bench(toolbox=toolbox, out=tmp_path, cache=SimpleNamespace(get=None))
    spec = {"device": "cpu", "precision": "fp32", "threads": 1, "content": {}}
    bound = SimpleNamespace(procedure=EXAMPLES["attack"], seed=0, spec=spec, inputs={}, hash="x")
    assert measure(Unit((bound,), "attack", 8.0), bench) == 2.0
    untimed = replace(bench, toolbox=replace(TOOLBOX, kinds={"attack": replace(kind, pace=None)}))
    assert measure(Unit((bound,), "attack", 8.0), untimed) is None
