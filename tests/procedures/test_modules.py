import threading
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import gradlab
from gradlab.lab.design import Custom
from gradlab.lab.here import as_factory, describe_factory
from gradlab.lab.locks import try_lock
from gradlab.lab.record import Record
from gradlab.lab.run import Request, arm_specs, facts_of, run_design
from gradlab.types import UserError
from tests.lab.fakes import arm, claim, design, part


class Net(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class Twice(Net):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * self.layers(images)


class Bare(nn.Module):
    """All its parameters are its own: no layer with a weight to probe."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(0.1 * torch.randn(64, 10, generator=torch.Generator().manual_seed(seed)))

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
    base = describe_factory("net", drawn())
    assert base == describe_factory("net", drawn())
    others = [
        describe_factory("net", drawn(Twice)),  # the same layers and weights, another forward
        describe_factory("net", drawn(width=9)),
        describe_factory("net", lambda seed: drawn()(seed + 1)),
        describe_factory("other", drawn()),
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
        digests.add(describe_factory("net", drawn(names["Typed"])).digest)
    assert len(digests) == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_weights_of_every_number_format_count(dtype):
    one, other = (describe_factory("n", lambda seed, k=k: drawn()(seed + k).to(dtype)) for k in (0, 1))
    assert one.digest != other.digest


def test_a_factory_that_forgets_its_seed_is_refused():
    with pytest.raises(UserError, match="'net' starts from other weights each time for one seed"):
        describe_factory("net", lambda _seed: Net())


def test_a_factory_that_makes_no_module_is_refused():
    with pytest.raises(UserError, match=r"'net' must give a torch.nn.Module for a seed, got int"):
        describe_factory("net", lambda seed: seed)


def run_own(out, digits, factories, seeds=(0, 1), on_event=lambda _event: None):
    arms = tuple(arm(name, describe_factory(name, factory)) for name, factory in factories.items())
    names = list(factories)
    claims = [claim("C", part(names[0], names[1]))] if len(names) > 1 else []
    request = Request(
        preset="quick", data="digits", dataset=digits, seeds=seeds, out=out, device="cpu", factories=factories
    )
    return run_design(design(arms, *claims), request, facts_of(request), on_event=on_event)


def test_a_users_own_modules_go_through_a_whole_design(tmp_path, digits):
    factories = {"mine": drawn(), "bare": Bare}
    result = run_own(tmp_path, digits, factories)
    assert [run["status"] for run in result["runs"]] == ["finished"] * 4
    assert result["claims"][0]["n"] == 2
    records = [Record(tmp_path / "records" / run["record"]) for run in result["runs"]]
    assert isinstance(records[0].spec.model, Custom)
    assert records[0].spec.model.digest == describe_factory("mine", factories["mine"]).digest
    assert len(records[2].gradients["norm"]) == 0
    with pytest.raises(UserError, match="trained your own module 'mine'; build it and load"):
        records[0].model()
    events = []
    assert run_own(tmp_path, digits, factories, on_event=events.append)["claims"] == result["claims"]
    assert events == [{"event": "start", "blocks": []}]


def test_a_network_of_ones_own_is_kept_with_its_weights(tmp_path, digits):
    from safetensors.torch import load_file

    result = run_own(tmp_path, digits, {"mine": drawn()}, seeds=(3,))
    record = Record(tmp_path / "records" / result["runs"][0]["record"])
    module = Net()
    module.load_state_dict(load_file(record.folder / "weights.safetensors"))
    logits = gradlab.training.predict_logits(module, digits.test)
    assert torch.allclose(
        logits, torch.from_numpy(record.logits), rtol=1e-5, atol=1e-5
    )  # other thread counts


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 7)), "returns 7 logits, but the data has 10 classes"),
        (nn.Sequential(nn.Flatten(), nn.Linear(65, 10)), r"cannot read images of shape \(1, 8, 8\)"),
        (nn.Conv2d(1, 10, 3), r"must return logits of shape \(N, K\)"),
    ],
)
def test_a_network_that_does_not_fit_the_data_is_one_sentence(tmp_path, digits, network, text):
    with pytest.raises(UserError, match=text):
        run_own(tmp_path, digits, {"mine": as_factory("mine", network)})
    assert list((tmp_path / "records").iterdir()) == []


def test_a_block_that_another_process_holds_is_waited_for(tmp_path, digits, monkeypatch):
    monkeypatch.setattr("gradlab.lab.here.WAIT", 0.01)
    factories = {"mine": drawn()}
    custom = describe_factory("mine", factories["mine"])
    request = Request(preset="quick", data="digits", dataset=digits, seeds=(0,), out=tmp_path, device="cpu")
    spec = arm_specs(arm("mine", custom), request, facts_of(request), "cpu")[0]
    held = try_lock(tmp_path / "work" / f"{spec.hash}.lock")
    assert held is not None
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run_own(tmp_path, digits, factories, seeds=(0,))))
    thread.start()
    thread.join(timeout=0.3)
    assert thread.is_alive()
    held.close()
    thread.join(timeout=60)
    assert SimpleNamespace(**found[0]).runs[0]["record"] == spec.hash
