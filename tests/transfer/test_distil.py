"""Distillation against a plain loop, with a teacher that runs once."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.augmentation import Flip
from gradlab.models import MLP
from gradlab.training import Recipe
from gradlab.transfer import ViewFeed, distil
from gradlab.types import UserError
from tests.transfer.examples import SHAPE, bars, cnn, equal, mlp

DATA = bars()
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.05, optimizer="sgd", keep="last")
QUIET = {"device": "cpu", "progress": False}


def taught(student, teacher, recipe=RECIPE, **more):
    return distil(student, teacher, DATA, recipe, **(QUIET | more))


def loop(student, teacher, temperature, alpha, seed):
    """Train as in a notebook, the teacher asked in every step."""
    own, feed = student.double(), ViewFeed(DATA.train, ("identity", "mirror"), torch.float64)
    teacher, optimizer = teacher.double().eval(), torch.optim.SGD(own.parameters(), lr=0.05)
    for epoch in (1, 2, 3):
        for rows in feed.order(seed, epoch, 16).split(16):
            images, labels = feed.batch(rows), feed.labels[rows]
            with torch.no_grad():
                target = functional.softmax(teacher(images) / temperature, 1)
            logits = own(images)
            soft = -(target * functional.log_softmax(logits / temperature, 1)).sum(1).mean()  # Hinton's form
            hard = functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            (alpha * hard + (1 - alpha) * temperature**2 * soft).backward()
            optimizer.step()
    return own.state_dict()


@pytest.mark.parametrize(("temperature", "alpha"), [(4.0, 0.3), (2.0, 0.0)])
def test_it_trains_as_a_plain_loop_with_soft_targets(temperature, alpha):
    teacher = mlp(4, seed=9)
    found = taught(
        mlp(4), teacher, temperature=temperature, alpha=alpha, seed=2, precision="fp64"
    ).model.state_dict()
    for name, value in loop(mlp(4), mlp(4, seed=9), temperature, alpha, 2).items():
        if not name.startswith("normalise"):
            torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)  # the teacher is fp32 here


def test_the_twin_with_hard_labels_does_not_depend_on_the_teacher():
    one, other = (taught(cnn(4), teacher, alpha=1.0) for teacher in (mlp(4), mlp(4, seed=5)))
    assert equal(one.model.state_dict(), other.model.state_dict())
    soft, otherwise = (taught(cnn(4), teacher, alpha=0.0) for teacher in (mlp(4), mlp(4, seed=5)))
    assert not equal(soft.model.state_dict(), otherwise.model.state_dict())


def test_the_teacher_runs_once_over_every_view_and_is_left_as_it_was():
    seen = []

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.drop = mlp(4), nn.Dropout(0.5)

        def forward(self, images):
            seen.append(len(images))
            return self.drop(self.inner(images))

    teacher = Counting().train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    taught(cnn(4), teacher)
    assert sum(seen) == 2 * len(DATA.train)
    assert teacher.training
    assert equal(teacher.state_dict(), before)
    assert all(one.grad is None and one.requires_grad for one in teacher.parameters())


def test_a_student_learns_from_the_teacher_alone():
    recipe = Recipe(epochs=15, learning_rate=0.01, batch_size=16)
    wide = MLP(width=24, depth=1).build(SHAPE, 4, seed=1)
    teacher = taught(wide, mlp(4), recipe, alpha=1.0)
    assert teacher.history[-1]["validation_accuracy"] > 0.9
    student = taught(mlp(4), teacher.model, recipe, alpha=0.0)
    assert student.history[-1]["validation_accuracy"] > 0.8  # it never saw a label
    assert student.history[-1]["train_agreement"] > student.history[0]["train_agreement"]
    assert set(student.history[0]) >= {"train_accuracy", "train_agreement", "validation_loss"}


def test_killed_and_asked_again_it_ends_with_the_same_bits(tmp_path):
    whole = taught(cnn(4), mlp(4), seed=3)

    def stop(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    path = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        taught(cnn(4), mlp(4), seed=3, checkpoint=path, listeners=[stop])
    again = taught(cnn(4), mlp(4), seed=3, checkpoint=path)
    assert equal(again.model.state_dict(), whole.model.state_dict())
    assert again.history == whole.history
    with pytest.raises(UserError, match="belongs to another training"):
        taught(cnn(4), mlp(4, seed=5), seed=3, checkpoint=path)


@pytest.mark.parametrize(
    ("teacher", "recipe", "more", "sentence"),
    [
        (mlp(3), RECIPE, {}, "the teacher returns 3 logits, but 'bars' has 4 classes"),
        (mlp(4), Recipe(augmentation=(Flip(),)), {}, "name views="),
        (mlp(4), Recipe(label_smoothing=0.1), {}, "name views="),
        (mlp(4), RECIPE, {"views": ("miror",)}, "did you mean 'mirror'"),
        (mlp(4), RECIPE, {"temperature": -1.0}, "positive number"),
    ],
)
def test_what_does_not_fit_is_refused(teacher, recipe, more, sentence):
    with pytest.raises(UserError, match=sentence):
        taught(cnn(4), teacher, recipe, **more)


def test_a_teacher_that_diverged_and_test_images_are_refused():
    broken = mlp(4)
    with torch.no_grad():
        broken.head.weight.fill_(float("nan"))
    with pytest.raises(UserError, match="finite logits"):
        taught(cnn(4), broken)
    with pytest.raises(UserError, match="test split"):
        distil(cnn(4), mlp(4), DATA.test, RECIPE, **QUIET)
