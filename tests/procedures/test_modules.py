from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.lab import load
from gradlab.procedures._modules import as_factory, describe_factory, describe_given
from gradlab.procedures._networks import network_of
from gradlab.procedures._predictions import logits_of
from gradlab.procedures.train import Train
from gradlab.training import predict_logits
from gradlab.types import UserError
from tests.procedures.examples import DATA, RECIPE, run

SHAPE = (1, 6, 6)


class Net(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(36, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class Twice(Net):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * self.layers(images)


class Bare(nn.Module):
    """All its parameters are its own: no layer with a weight to probe."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(0.1 * torch.randn(36, 3, generator=torch.Generator().manual_seed(seed)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.matrix


def drawn(kind: type[nn.Module] = Net, **options: Any) -> Any:
    return as_factory("net", kind(**options))


def test_a_module_is_drawn_anew_for_every_seed_and_left_alone():
    module = Net()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    factory = as_factory("net", module)
    first, again, other = factory(0), factory(0), factory(1)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
        assert not torch.equal(value, other.state_dict()[name])
        assert torch.equal(module.state_dict()[name], before[name])


def test_a_function_is_taken_as_it_is():
    def make(seed: int) -> nn.Module:
        return Bare(seed)

    assert as_factory("net", make) is make


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (Net, r"'net' is a class; pass a module, such as Net\(\), or a function"),
        (3, "'net' must be a torch.nn.Module, a function seed -> module or a gradlab.models.MLP, got int"),
    ],
)
def test_what_is_no_network_is_refused(network, text):
    with pytest.raises(UserError, match=text):
        as_factory("net", network)


def test_a_description_is_stable_and_changes_with_code_form_and_weights():
    base = describe_factory("net", drawn(), SHAPE)
    assert base == describe_factory("net", drawn(), SHAPE)
    others = [
        describe_factory("net", drawn(Twice), SHAPE),  # the same layers and weights, another forward
        describe_factory("net", drawn(width=9), SHAPE),
        describe_factory("net", lambda seed: drawn()(seed + 1), SHAPE),
        describe_factory("other", drawn(), SHAPE),
    ]
    assert len({(one.name, one.digest) for one in [base, *others]}) == 5


def test_code_without_a_source_is_told_apart_too():
    digests = set()
    for factor in (2, 3):
        names: dict[str, Any] = {"Net": Net}
        exec(
            f"class Typed(Net):\n    def forward(self, images):\n        return {factor} * self.layers(images)",
            names,
        )
        digests.add(describe_factory("net", drawn(names["Typed"]), SHAPE).digest)
    assert len(digests) == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_weights_of_every_number_format_count(dtype):
    one, other = (describe_factory("n", lambda seed, k=k: drawn()(seed + k).to(dtype), SHAPE) for k in (0, 1))
    assert one.digest != other.digest


def test_a_factory_that_forgets_its_seed_is_refused():
    with pytest.raises(UserError, match="'net' starts from other weights each time for one seed"):
        describe_factory("net", lambda _seed: Net(), SHAPE)


def test_a_factory_that_makes_no_module_is_refused():
    with pytest.raises(UserError, match=r"'net' must give a torch.nn.Module for a seed, got int"):
        describe_factory("net", lambda seed: seed, SHAPE)


def helper(values: torch.Tensor) -> torch.Tensor:
    return values.relu()


class Helped(Net):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return helper(self.layers(images))


def test_a_helper_that_forward_calls_counts_by_what_it_does(monkeypatch):
    before = describe_factory("net", drawn(Helped), SHAPE)
    monkeypatch.setitem(globals(), "helper", torch.sigmoid)
    assert describe_factory("net", drawn(Helped), SHAPE) != before


def test_a_trained_network_is_known_by_all_of_its_state_and_left_alone():
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(36, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 3)
    )
    module.train()
    before, rng = {name: value.clone() for name, value in module.state_dict().items()}, torch.get_rng_state()
    first = describe_given("mine", module, SHAPE)
    assert first == describe_given("mine", module, SHAPE)
    assert module.training
    assert torch.equal(torch.get_rng_state(), rng)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    module[2].running_mean += 1e-3
    assert describe_given("mine", module, SHAPE) != first


def run_own(out, factories, seeds=(0, 1), **more):
    """Train a user's own networks, one after the other; returns the records of each."""
    found = {}
    for name, factory in factories.items():
        described = describe_factory(name, factory, SHAPE)
        made = run(
            out, Train(data="stripes", model=described, recipe=RECIPE), seeds, modules=dict(factories), **more
        )
        found[name] = [load(out / "records" / one["record"]) for one in made["runs"]]
    return found


def test_a_users_own_modules_train_and_are_found_again(tmp_path):
    factories = {"mine": drawn(), "bare": Bare}
    found = run_own(tmp_path, factories)
    for name, records in found.items():
        for seed, record in enumerate(records):
            assert record.facts["status"] == "finished"
            model = record.spec["procedure"]["model"]
            assert model == {"name": name, "digest": describe_factory(name, factories[name], SHAPE).digest}
            network = network_of(record, factories)
            logits = predict_logits(network, DATA["stripes"].test).numpy()
            np.testing.assert_array_equal(logits, logits_of(record.table("predictions")))
            assert record.spec["seed"] == seed
    assert len(found["bare"][0].table("gradients")["norm"]) == 0  # it has no layer with a weight
    with pytest.raises(UserError, match="trained your own module 'mine'; build it and load"):
        network_of(found["mine"][0])
    events = []
    run_own(tmp_path, factories, on_event=events.append)
    assert [event["units"] for event in events] == [[], []]


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(36, 7)), "returns 7 logits, but the data has 3 classes"),
        (nn.Sequential(nn.Flatten(), nn.Linear(65, 3)), r"cannot read images of shape \(1, 6, 6\)"),
        (nn.Conv2d(1, 3, 3), r"must return logits of shape \(N, K\)"),
    ],
)
def test_a_network_that_does_not_fit_the_data_is_one_sentence(tmp_path, network, text):
    with pytest.raises(UserError, match=text):
        run_own(tmp_path, {"mine": as_factory("mine", network)})
    assert list((tmp_path / "records").iterdir()) == []
