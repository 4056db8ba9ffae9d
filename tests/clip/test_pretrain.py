from dataclasses import replace

import pytest
import torch

from gradlab.clip import CLIPClassifier, build_small, pretrain
from gradlab.clip.pretrain import captions_of
from gradlab.data import from_tensors
from gradlab.language import WordPiece, build_encoder
from gradlab.training import Recipe
from gradlab.training.predict import predict_logits
from gradlab.types import UserError
from tests.clip.examples import CONFIG, NAMES, RECIPE, colours, equal, pictures, state_of, tiny


@pytest.fixture(scope="module")
def learned():
    recipe = replace(RECIPE, epochs=12, learning_rate=1e-2)
    return pretrain(tiny(), colours(), recipe, flips=False, device="cpu", progress=False)


def test_it_learns_to_name_test_pictures_by_their_captions(learned):
    logits = predict_logits(CLIPClassifier(learned.model, NAMES), colours().test)
    assert (logits.argmax(1) == colours().test.labels).float().mean() > 0.4  # guessing: 0.25
    assert learned.history[-1]["train_loss"] < learned.history[0]["train_loss"]
    assert learned.history[learned.best_epoch - 1]["validation_accuracy"] > 0.4


def test_interrupted_it_goes_on_to_the_same_bits_and_the_given_clip_is_left_alone(tmp_path):
    before = state_of(tiny())
    common = {"device": "cpu", "progress": False, "seed": 4}
    whole = pretrain(tiny(), colours(), RECIPE, **common)
    file = tmp_path / "checkpoint.safetensors"
    part = pretrain(tiny(), colours(), RECIPE, **common, checkpoint=file, pause_after=1)
    assert part.status == "paused"
    rest = pretrain(tiny(), colours(), RECIPE, **common, checkpoint=file)
    assert equal(state_of(rest.model), state_of(whole.model))
    assert rest.history == whole.history
    assert equal(state_of(tiny()), before)
    moved = [name for name, value in whole.model.named_parameters() if not torch.equal(value, before[name])]
    for part_name in ("vision_model", "text_model", "visual_projection", "text_projection", "logit_scale"):
        assert any(part_name in name for name in moved)


def test_captions_name_the_group_of_a_class_as_well_where_that_is_known():
    plain, grouped = captions_of(["nothing known"])[0], captions_of(["shark"])[0]
    assert plain[0] == "a photo of a nothing known."
    assert grouped[0] == "a photo of a shark, a type of fish."
    assert len(grouped) == 2 * len(plain)
    assert len(set(grouped)) == len(grouped)
    assert {len(one) for one in captions_of(["shark", "rose"])} == {len(grouped)}


def test_a_class_without_a_group_beside_one_with_a_group_has_as_many_captions():
    assert len({len(one) for one in captions_of(["shark", "nothing known"])}) == 1


def test_pictures_that_are_not_square_are_refused():
    wide = from_tensors(torch.rand(40, 3, 8, 12), torch.arange(40) % 2, name="wide")
    with pytest.raises(UserError, match="square images, got 8×12; write wide@8"):
        build_small(CONFIG, wide, seed=0)


def test_the_tokenizer_is_trained_on_captions_and_the_text_ends_where_the_tower_reads():
    clip = tiny()
    found = clip.tokens(["dark red", "red"])["input_ids"]
    words = [clip.tokenizer.convert_ids_to_tokens(row) for row in found.tolist()]
    assert words == [["[CLS]", "dark", "red", "[SEP]"], ["[CLS]", "red", "[SEP]", "[PAD]"]]
    assert clip.model.config.text_config.eos_token_id == found[0, -1]


def test_classes_that_the_tokenizer_cannot_tell_apart_are_refused_before_training():
    images, labels = pictures(20), torch.arange(20) % 2
    data = from_tensors(images, labels, class_names=("Red", "red"), name="capitals")
    with pytest.raises(UserError, match="the same tokens of the classes 'Red' and 'red'"):
        pretrain(build_small(CONFIG, data, seed=0), data, RECIPE, device="cpu", progress=False)


# --- a text tower that has read sentences ---

SENTENCES = ["dark red and light green", "a photo of a dark green light", "a light red photo of the dark"]


@pytest.fixture(scope="module")
def tower():
    words = WordPiece(vocab_size=80).train(SENTENCES * 3)
    return build_encoder(CONFIG.text_tower(), words, seed=9)


def texts_of(clip):
    return state_of(clip.model.text_model)


def test_the_text_tower_starts_with_the_weights_and_the_tokenizer_given_and_the_rest_as_without_it(tower):
    clip = build_small(CONFIG, colours(), seed=0, text=tower)
    assert equal(texts_of(clip), tower.transformer.state_dict())
    assert clip.tokenizer.get_vocab() == tower.tokenizer.numbers
    found = clip.tokens(["a dark red photo"])
    with torch.no_grad():
        last = tower(**found)[:, -1]
        read = clip.model.text_model(**found).pooler_output
    assert torch.allclose(read, last, atol=1e-6)
    for name in ("vision_model", "visual_projection", "text_projection"):
        one, other = (getattr(made.model, name) for made in (clip, tiny()))
        assert equal(state_of(one), state_of(other))


def test_a_frozen_text_tower_keeps_every_bit_until_its_epochs_are_over(tower):
    clip = build_small(CONFIG, colours(), seed=0, text=tower)
    before, recipe = state_of(clip), Recipe(epochs=3, batch_size=16, learning_rate=5e-3, keep="last")
    common = {"device": "cpu", "progress": False, "seed": 4}
    frozen = pretrain(clip, colours(), recipe, frozen_epochs=3, **common)
    assert equal(texts_of(frozen.model), tower.transformer.state_dict())
    for part in ("vision_model", "visual_projection", "text_projection", "logit_scale"):
        own = [name for name in before if part in name]
        assert any(not torch.equal(frozen.model.state_dict()[name], before[name]) for name in own)
    freed = pretrain(clip, colours(), recipe, frozen_epochs=2, **common)
    assert [row["epoch"] for row in freed.history] == [1, 2, 3]
    assert [row["stage"] for row in freed.history] == [1, 1, 2]
    moved = [
        n
        for n, one in texts_of(freed.model).items()
        if not torch.equal(one, tower.transformer.state_dict()[n])
    ]
    assert len(moved) > 5
    assert equal(state_of(clip), before)


def test_frozen_at_first_it_still_goes_on_to_the_same_bits_and_keeps_the_best_epoch_of_all(tower, tmp_path):
    clip = build_small(CONFIG, colours(), seed=0, text=tower)
    common = {"device": "cpu", "progress": False, "seed": 4, "frozen_epochs": 1}
    whole = pretrain(clip, colours(), replace(RECIPE, epochs=3), **common)

    class KilledError(Exception):
        pass

    def die(epoch):
        if epoch.epoch == 2:
            raise KilledError

    file = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KilledError):
        pretrain(clip, colours(), replace(RECIPE, epochs=3), **common, checkpoint=file, listeners=[die])
    rest = pretrain(clip, colours(), replace(RECIPE, epochs=3), **common, checkpoint=file)
    assert equal(state_of(rest.model), state_of(whole.model))
    losses = [row["validation_loss"] for row in whole.history]
    assert whole.best_epoch == 1 + losses.index(min(losses))


def test_a_tower_of_another_shape_is_refused(tower):
    wide = replace(CONFIG, text_width=32)
    with pytest.raises(
        UserError, match=r"text tower has 1 layers of width 32, 2 heads .* pre-train SmallCLIP.text_tower"
    ):
        build_small(wide, colours(), seed=0, text=tower)
    with pytest.raises(UserError, match="4 heads"):
        build_small(replace(CONFIG, text_heads=4), colours(), seed=0, text=tower)
