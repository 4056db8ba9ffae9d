from dataclasses import replace

import pytest
import torch

from gradlab.clip import CLIPClassifier, build_small, pretrain
from gradlab.clip.pretrain import captions_of
from gradlab.data import from_tensors
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
