"""PGD: its iterates, its worst case, its early stop."""

from dataclasses import replace

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.nn import functional

from gradlab.attacks import PGD, fgsm, pgd
from gradlab.types import UserError
from tests.attacks.examples import EPS, generator, images, labels_of, small


def ready(count=30, dtype=torch.float64):
    model, batch = small(dtype=dtype), images(count, dtype=dtype)
    return model, batch, labels_of(model, batch)


def losses(model, batch, labels):
    return functional.cross_entropy(model.eval()(batch), labels, reduction="none").detach()


def iterates(model, batch, labels, start, step_size, steps):
    """All points of plain PGD, written out."""
    model.eval()
    points = [start]
    for _ in range(steps):
        leaf = points[-1].clone().requires_grad_()
        functional.cross_entropy(model(leaf), labels, reduction="sum").backward()
        moved = leaf.detach() + step_size * leaf.grad.sign()
        points.append(torch.minimum(torch.maximum(moved, batch - EPS), batch + EPS).clamp(0, 1))
    return points


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 9])
@pytest.mark.parametrize("step_size", [0.002, 0.02])
def test_it_keeps_the_worst_of_all_iterates_of_plain_pgd(steps, step_size):
    model, batch, labels = ready()
    found = PGD(step_size=step_size, steps=steps, random_start=False, stop_at_success=False)(
        model, batch, labels
    )
    points = torch.stack(iterates(model, batch, labels, batch, step_size, steps))
    seen = torch.stack([losses(model, one, labels) for one in points])
    fooled = torch.stack([model(one).argmax(1) != labels for one in points])
    worst = (seen + 1000 * fooled).argmax(0)
    torch.testing.assert_close(found, points[worst, torch.arange(30)])


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_step_by_step_it_equals_foolbox_where_the_loss_rises(steps):
    foolbox = pytest.importorskip("foolbox", reason="foolbox is not installed")
    model, batch, labels = ready(60, torch.float32)
    ours = PGD(step_size=0.004, steps=steps, random_start=False, stop_at_success=False)(model, batch, labels)
    attack = foolbox.attacks.LinfPGD(abs_stepsize=0.004, steps=steps, random_start=False)
    theirs, _, _ = attack(foolbox.PyTorchModel(model.eval(), bounds=(0, 1)), batch, labels, epsilons=EPS)
    points = torch.stack(
        [losses(model, one, labels) for one in iterates(model, batch, labels, batch, 0.004, steps)]
    )
    rising = (points.diff(dim=0) > 0).all(0)
    assert rising.float().mean() > 0.9
    torch.testing.assert_close(ours[rising], theirs[rising], rtol=0, atol=1e-6)  # a few roundings of float32
    assert (losses(model, ours, labels) >= losses(model, theirs, labels) - 1e-6).all()


def test_one_step_of_eps_without_a_random_start_is_fgsm_where_the_loss_rises():
    model, batch, labels = ready()
    found = PGD(step_size=EPS, steps=1, random_start=False, stop_at_success=False)(model, batch, labels)
    single = fgsm(model, batch, labels, eps=EPS).images
    rises = losses(model, single, labels) > losses(model, batch, labels)
    assert rises.any()
    assert torch.equal(found[rises], single[rises])


def test_the_random_start_is_uniform_in_the_ball():
    model, batch = small(), torch.full((200, 2, 4, 5), 0.5, dtype=torch.float64)
    start = PGD(steps=0)(model, batch, labels_of(model, batch), generator=generator(1))
    change = (start - batch).flatten() / EPS
    assert float(change.abs().max()) <= 1
    assert abs(float(change.mean())) < 4 * (1 / 3 / 8000) ** 0.5
    assert abs(float((change**2).mean()) - 1 / 3) < 4 * (4 / 45 / 8000) ** 0.5


def test_restarts_never_make_the_worst_case_better_and_often_make_it_worse():
    model, batch, labels = ready(100)
    found = [
        PGD(steps=2, restarts=restarts, stop_at_success=False)(model, batch, labels, generator=generator(5))
        for restarts in (1, 4)
    ]
    one, four = (losses(model, each, labels) for each in found)
    reached = [labels_of(model, each) != labels for each in found]
    same = reached[0] == reached[1]
    assert (four >= one)[same].all()
    assert (reached[1] >= reached[0]).all()
    assert (four > one).float().mean() > 0.3


def test_stopping_at_success_fools_the_same_images_with_less_work_and_leaves_fooled_ones_alone():
    model, batch, labels = ready(80)
    labels[:10] = (labels[:10] + 1) % 4  # wrong from the beginning
    seen = []
    model.register_forward_pre_hook(lambda _model, inputs: seen.append(len(inputs[0])))
    settings = {"eps": 0.06, "steps": 12, "random_start": False}
    whole = PGD(**settings, stop_at_success=False)(model, batch, labels)
    work = sum(seen)
    seen.clear()
    early = PGD(**settings)(model, batch, labels)
    assert sum(seen) < 0.8 * work
    assert torch.equal(labels_of(model, whole) != labels, labels_of(model, early) != labels)
    assert torch.equal(early[:10], batch[:10])
    still = labels_of(model, whole) == labels
    assert still.any()
    assert torch.equal(early[still], whole[still])


class Overshoots(nn.Module):
    """The label's logit is a valley in the pixel sum: a long step leaves it on the other side, and higher."""

    def forward(self, batch):
        height = (batch.flatten(1).sum(1) - 1.03).abs()
        return torch.stack([4 * height, torch.zeros_like(height)], 1)


def test_the_worst_iterate_is_kept_and_not_the_last():
    batch, labels = torch.full((1, 1, 1, 2), 0.5), torch.zeros(1, dtype=torch.int64)
    model = Overshoots()
    found = pgd(
        model, batch, labels, eps=0.5, step_size=0.25, steps=1, restarts=1, random_start=False, stop_at_success=False
    )  # fmt: skip
    assert torch.equal(found.images, batch)
    assert (
        losses(model, iterates(model, batch, labels, batch, 0.25, 1)[-1], labels)
        < losses(model, batch, labels)
    ).all()


def test_the_step_follows_the_radius_unless_it_is_given():
    assert PGD(eps=0.1, steps=5).step == pytest.approx(0.05)
    assert PGD(eps=0.1, steps=5, step_size="2/255").step == 2 / 255
    assert PGD(eps=1, steps=1).step == 1
    assert PGD(eps=0.1, steps=0).step == pytest.approx(0.25)


def test_in_l2_the_steps_fall_evenly_from_twice_the_radius_unless_one_is_given():
    """A model whose gradient is the same everywhere: the path from the image is the sum of the steps, cut at the ball."""
    falling = PGD(eps=0.5, norm="l2", steps=5)
    assert (falling.settings()["schedule"], falling.step) == ("linear", 1.0)
    assert (PGD(norm="l2", step_size=0.1).schedule, PGD().schedule) == (None, None)
    asked = []

    class Straight(nn.Module):
        def forward(self, images):
            asked.append(images.detach().clone())
            return torch.stack([-images.sum((1, 2, 3)), images.sum((1, 2, 3))], 1)

    batch = torch.full((1, 1, 2, 2), 0.3, dtype=torch.float64)
    settings = {
        "eps": 0.5,
        "step_size": 0.2,
        "steps": 4,
        "norm": "l2",
        "random_start": False,
        "stop_at_success": False,
    }
    PGD(**settings, schedule="linear")(Straight(), batch, torch.zeros(1, dtype=torch.int64))
    lengths = [float((one - batch).norm()) for one in asked[-5:]]
    assert lengths == pytest.approx([0, 0.2, 0.35, 0.45, 0.5])  # 0.2, 0.15, 0.1, 0.05
    PGD(**settings)(Straight(), batch, torch.zeros(1, dtype=torch.int64))
    lengths = [float((one - batch).norm()) for one in asked[-5:]]
    assert lengths == pytest.approx([0, 0.2, 0.4, 0.5, 0.5])


@pytest.mark.parametrize("attack", [PGD(norm="l2"), PGD(norm="l2", schedule="linear")], ids=repr)
def test_a_step_that_is_named_later_is_taken_as_it_is_and_falls_only_on_request(attack):
    record = TypeAdapter(PGD)
    for one in (attack, record.validate_python(record.dump_python(attack))):
        named = replace(one, step_size=0.1)
        assert (named.step, named.settings()["schedule"]) == (0.1, "constant")
        assert named == PGD(norm="l2", step_size=0.1)
        assert replace(one, norm="linf").settings() == PGD().settings()
        again = replace(named, step_size=None)
        assert (again.step, again.settings()["schedule"]) == (16 / 255, "linear")
    asked = replace(attack, step_size=0.1, schedule="linear")
    assert replace(asked, eps=0.5).settings()["schedule"] == "linear"
    assert record.validate_python(record.dump_python(asked)) == asked


def test_records_of_l_infinity_do_not_know_of_schedules_and_those_of_other_norms_do():
    dump = TypeAdapter(PGD).dump_python
    assert "schedule" not in dump(PGD())
    assert "schedule" not in dump(PGD(norm="l2", step_size=0.1))
    told = dump(PGD(norm="l1"))
    assert told["schedule"] == "linear"
    assert TypeAdapter(PGD).validate_python(told) == PGD(norm="l1")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"steps": -1}, "at least 0"),
        (
            {"step_size": 2},
            r"step_size must lie in \[0, 1\] on the pixel scale, got 2\. For 2 grey levels write 2/255",
        ),
        ({"restarts": 3, "random_start": False}, "3 restarts without a random start are 3 times the same"),
        ({"eps": "8/0"}, "denominator other than 0, got 8/0"),
        ({"eps": -0.1}, r"got -0\.1\.$|got -0\.1\. "),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields, sentence):
    with pytest.raises(UserError, match=sentence):
        PGD(**fields)


def test_the_function_refuses_them_too():
    model, batch, labels = ready(2)
    plain = {
        "eps": 0.1,
        "step_size": 0.1,
        "steps": 1,
        "restarts": 1,
        "random_start": True,
        "stop_at_success": False,
    }
    for change, sentence in (
        ({"steps": -1}, "at least 0, got -1"),
        ({"restarts": 0}, "at least 1, got 0"),
        ({"eps": float("nan")}, "got nan"),
    ):
        with pytest.raises(UserError, match=sentence):
            pgd(model, batch, labels, **(plain | change))
