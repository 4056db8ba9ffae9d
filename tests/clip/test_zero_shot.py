import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.clip import CLIPClassifier, CLIPLoRA, save_clip, zero_shot
from gradlab.types import UserError
from tests.clip.examples import NAMES, colours, pictures, tiny


def test_images_in_memory_and_parts_of_data_get_the_logits_of_the_classifier():
    split = colours().test
    with torch.no_grad():
        wanted = CLIPClassifier(tiny(), NAMES)(split.images / 255)
    found = zero_shot(tiny(), split, NAMES)
    assert torch.allclose(found.logits, wanted, atol=1e-5)
    assert torch.allclose(zero_shot(tiny(), split.images / 255, NAMES).logits, wanted, atol=1e-5)
    assert torch.allclose(found.probabilities.sum(1), torch.ones(len(split)))
    assert found.names == [NAMES[one] for one in wanted.argmax(1).tolist()]
    assert found.files == ()


def test_a_folder_of_pictures_of_several_sizes_is_read_file_by_file(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape in (("b.png", (8, 8, 3)), ("a.png", (20, 31, 3)), ("grey.png", (9, 8))):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / name)
    model = save_clip(tiny(), tmp_path / "model")
    found = zero_shot(model, tmp_path, ["one thing", "another thing"], ["a photo of a {}.", "{}"])
    assert [one.rpartition("/")[2] for one in found.files] == ["a.png", "b.png", "grey.png"]
    pixels = torch.tensor(np.asarray(Image.open(tmp_path / "b.png"))).permute(2, 0, 1)[None] / 255
    alone = zero_shot(tiny(), pixels, ["one thing", "another thing"], ["a photo of a {}.", "{}"])
    assert torch.allclose(found.logits[1:2], alone.logits, atol=1e-5)


def test_the_model_is_left_as_it_was():
    tiny().train()
    zero_shot(tiny(), pictures(), NAMES)
    assert tiny().training
    tiny().eval()


@pytest.mark.parametrize(
    "images",
    [
        pictures() * 2 - 1,
        pictures() * float("nan"),
        torch.zeros(0, 3, 8, 8),
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
    ],
)
def test_what_is_no_image_in_the_unit_range_is_refused(images):
    with pytest.raises(UserError, match=r"at least one image in \[0, 1\]"):
        zero_shot(tiny(), images, NAMES)


def test_an_array_is_refused_with_what_makes_a_tensor_of_it():
    with pytest.raises(UserError, match=r"got ndarray; torch.from_numpy"):
        zero_shot(tiny(), pictures().numpy(), NAMES)


def test_adapters_of_the_text_tower_drop_nothing_while_classes_are_embedded_once():
    clip = CLIPLoRA(tower="text", dropout=0.5).start(tiny(), 0)
    with torch.no_grad():
        for name, one in clip.named_parameters():
            if "lora_B" in name:
                one.fill_(0.1)
    wanted = zero_shot(clip.eval(), pictures(), NAMES).logits
    assert torch.equal(zero_shot(clip.train(), pictures(), NAMES).logits, wanted)
    assert clip.training
