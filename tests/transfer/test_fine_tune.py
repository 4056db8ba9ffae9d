"""Fine-tuning: what is frozen stays bit-equal, stages are fits, killed and asked again it ends with the same bits."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.data import order
from gradlab.training import Recipe, fit
from gradlab.transfer import (
    POLICIES,
    AllLayers,
    DiscriminativeRates,
    FromScratch,
    GradualUnfreezing,
    HeadOnly,
    LastBlock,
    fine_tune,
    parts_of,
    with_new_head,
)
from gradlab.transfer.parts import train_only
from gradlab.types import UserError, derive_seed
from tests.transfer.examples import bars, cnn, equal, mlp, plain

DATA = bars()
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.02)
SHORT = Recipe(epochs=1, batch_size=32)
QUIET = {"device": "cpu", "progress": False}


def kept(state):
    return {name: value for name, value in state.items() if not name.startswith("head.")}


def tuned(network, policy, recipe=RECIPE, **more):
    return fine_tune(network, DATA, policy, recipe, **QUIET, **more)


@pytest.mark.parametrize("make", [cnn, plain, mlp])
@pytest.mark.parametrize("policy", [HeadOnly(), LastBlock()])
def test_frozen_parts_are_bit_equal_and_batch_norms_in_them_too(make, policy):
    network = make()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = tuned(network, policy, seed=3)
    after = found.fit.model.state_dict()
    parts = parts_of(network)
    frozen = parts[: -1 if isinstance(policy, HeadOnly) else -2]
    layers = {name.rpartition(".")[0] for part in frozen for name in part.parameters}
    still = [name for name in before if name.rpartition(".")[0] in layers and "num_batches" not in name]
    assert all(torch.equal(after[name], before[name]) for name in still)
    moved = [name for part in parts[len(frozen) :] for name in part.parameters]
    start = found.start.state_dict()
    assert all(not torch.equal(after[name], start[name]) for name in moved)
    assert found.frozen.tensors == found.frozen.unchanged >= len(still)
    sizes = {name: one.numel() for name, one in found.start.named_parameters()}
    assert found.trained == sum(sizes[name] for name in moved)
    assert found.frozen.share == pytest.approx(1 - found.trained / sum(sizes.values()))
    assert equal(network.state_dict(), before)


def test_a_batch_norm_that_runs_in_train_mode_inside_a_frozen_part_is_caught():
    class Stubborn(nn.Sequential):
        def forward(self, images):
            self[1].train()  # the planted fault
            return super().forward(images)

    with pytest.raises(UserError, match=r"'1\.running_mean' is frozen, but it changed"):
        tuned(Stubborn(*plain()), HeadOnly())
    assert tuned(Stubborn(*plain()), AllLayers()).fit.status == "finished"


def test_a_part_that_should_train_and_gets_no_gradient_is_caught():
    class Cut(nn.Sequential):
        def forward(self, images):
            for layer in list(self)[:-1]:
                images = layer(images)
            return self[8](images.detach())  # the planted fault

    assert tuned(Cut(*plain()), HeadOnly()).fit.status == "finished"
    with pytest.raises(UserError, match="should train but does not affect the loss"):
        tuned(Cut(*plain()), LastBlock())


def test_every_policy_starts_from_the_given_weights_whatever_ran_before():
    network = cnn()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    starts = {
        name: tuned(network, kind(), SHORT, seed=1).start.state_dict() for name, kind in POLICIES.items()
    }
    heads = [state["head.weight"] for state in starts.values()]
    assert all(torch.equal(head, heads[0]) for head in heads)
    for name, state in starts.items():
        same = equal(kept(state), kept(before))
        assert same == (name != "scratch")


def test_one_stage_is_a_plain_fit_of_the_network_with_its_new_head():
    network = cnn()
    found = tuned(network, AllLayers(), seed=5)
    own = fit(with_new_head(network, 4, seed=5), DATA, RECIPE, seed=5, **QUIET)
    assert equal(found.fit.model.state_dict(), own.model.state_dict())
    assert [row | {"stage": 1} for row in own.history] == found.fit.history
    assert found.frozen.tensors == 0


def test_from_scratch_is_a_plain_fit_of_a_fresh_network():
    network = cnn()
    found = tuned(network, FromScratch(), seed=2)
    fresh = network.config.build((1, 6, 6), 4, seed=2, mean=(0.3,), std=(0.25,))
    fresh.normalise.load_state_dict(network.normalise.state_dict())
    assert equal(found.fit.model.state_dict(), fit(fresh, DATA, RECIPE, seed=2, **QUIET).model.state_dict())


def test_gradual_unfreezing_is_a_chain_of_fits_and_keeps_the_best_epoch_of_all():
    network, recipe = cnn(), Recipe(epochs=5, batch_size=16, learning_rate=0.02)
    found = tuned(network, GradualUnfreezing(), recipe, seed=7)
    now, parts, losses, states = with_new_head(network, 4, seed=7), parts_of(network), [], []
    for number, (trained, epochs) in enumerate([(1, 1), (2, 1), (3, 1), (4, 2)]):
        names = tuple(name for part in parts[-trained:] for name in part.parameters)
        stage = Recipe(epochs=epochs, batch_size=16, learning_rate=0.02)
        seed = derive_seed(7, "stage", number) if number else 7
        done = fit(train_only(now, names), DATA, stage, seed=seed, **QUIET)
        losses += [row["validation_loss"] for row in done.history]
        states.append(done.model.state_dict())
        now = done.model
    assert [row["validation_loss"] for row in found.fit.history] == losses
    assert [row["epoch"] for row in found.fit.history] == [1, 2, 3, 4, 5]
    assert [row["stage"] for row in found.fit.history] == [1, 2, 3, 4, 4]
    best = losses.index(min(losses))
    assert found.fit.best_epoch == best + 1
    assert equal(found.fit.model.state_dict(), states[min(best, 3)])
    last = Recipe(epochs=5, batch_size=16, learning_rate=0.02, keep="last")
    assert tuned(network, GradualUnfreezing(), last, seed=7).fit.best_epoch == 5


def test_discriminative_rates_take_the_steps_of_pytorchs_parameter_groups():
    network, policy = plain(), DiscriminativeRates(factor=3)
    recipe = Recipe(optimizer="sgd", learning_rate=0.1, epochs=1, batch_size=16, keep="last")
    found = tuned(network, policy, recipe, seed=4, precision="fp64")
    own = with_new_head(network, 4, seed=4).double().train()
    parts, named = parts_of(own), dict(own.named_parameters())
    groups = [
        {"params": [named[name] for name in part.parameters], "lr": 0.1 / 3**place}
        for place, part in enumerate(reversed(parts))
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    for rows in order(len(DATA.train), seed=4, epoch=1).split(16):
        optimizer.zero_grad()
        functional.cross_entropy(
            own(DATA.train.images[rows].double() / 255), DATA.train.labels[rows]
        ).backward()
        optimizer.step()
    for name, value in own.state_dict().items():
        torch.testing.assert_close(found.fit.model.state_dict()[name], value, rtol=1e-9, atol=1e-12)


class KilledError(Exception):
    pass


def test_killed_after_any_epoch_it_goes_on_and_ends_with_the_same_bits(tmp_path):
    policy, network, recipe = GradualUnfreezing(), cnn(), Recipe(epochs=5, batch_size=16, learning_rate=0.02)
    whole = tuned(network, policy, recipe, seed=2)
    for killed in (1, 3):
        folder, heard = tmp_path / str(killed), []
        folder.mkdir()

        def hear(epoch, killed=killed, heard=heard):
            heard.append(epoch.epoch)
            if epoch.epoch == killed and len(heard) == killed:
                raise KilledError

        with pytest.raises(KilledError):
            tuned(network, policy, recipe, seed=2, folder=folder, listeners=[hear])
        again = tuned(network, policy, recipe, seed=2, folder=folder, listeners=[hear])
        assert equal(again.fit.model.state_dict(), whole.fit.model.state_dict())
        assert again.fit.history == whole.fit.history
        assert again.frozen == whole.frozen
        assert heard == [1, 2, 3, 4, 5]  # nothing was trained twice


def test_listeners_hear_the_epochs_of_the_whole():
    heard = []
    tuned(cnn(), GradualUnfreezing(), Recipe(epochs=6, batch_size=16), listeners=[heard.append])
    assert [(one.epoch, one.epochs) for one in heard] == [(number, 6) for number in range(1, 7)]
    assert heard[-1].seconds_left == 0


def test_a_stage_that_diverges_ends_the_whole_and_is_named():
    recipe = Recipe(optimizer="sgd", learning_rate=1e30, epochs=4, batch_size=16)
    found = tuned(cnn(), GradualUnfreezing(), recipe)
    assert found.fit.status == "diverged"
    assert found.fit.note.startswith("stage 2: epoch 1, ")  # a head alone on frozen features stays finite
    assert found.fit.epochs == 2
    assert found.fit.best_epoch == 1


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    one, same, other = (
        tuned(plain(), LastBlock(), SHORT, seed=seed).fit.model.state_dict() for seed in (0, 0, 1)
    )
    assert equal(one, same)
    assert not equal(one, other)


def test_what_cannot_be_tuned_is_refused():
    with pytest.raises(UserError, match="fine_tune reads a gradlab Dataset, got Split"):
        fine_tune(cnn(), DATA.train, HeadOnly(), RECIPE, **QUIET)
    with pytest.raises(UserError, match="before its head, got blocks=9"):
        tuned(cnn(), LastBlock(blocks=9))
    network = copy.deepcopy(plain())
    network[8] = nn.Identity()
    with pytest.raises(UserError, match="no linear layer"):
        tuned(network, HeadOnly())
