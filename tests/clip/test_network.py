import copy

import pytest
import torch

from gradlab.types import UserError
from tests.clip.examples import NAMES, pictures, tiny


def test_logits_are_those_of_transformers_own_forward_pass():
    clip, images = tiny(), pictures()
    tokens = clip.tokens(NAMES)
    with torch.no_grad():
        theirs = clip.model(pixel_values=clip.preprocessing(images), **tokens)
        assert torch.allclose(clip(images, **tokens), theirs.logits_per_image, atol=1e-5)
        assert torch.allclose(clip.image_features(images), theirs.image_embeds, atol=1e-6)
        assert torch.allclose(clip.text_features(**tokens), theirs.text_embeds, atol=1e-6)
        whole = clip.model.get_image_features(clip.preprocessing(images)).pooler_output
        assert torch.equal(clip(images), whole)


def test_similarities_are_multiplied_by_a_hundred_at_most():
    clip = copy.deepcopy(tiny())
    with torch.no_grad():
        clip.model.logit_scale.fill_(9.0)
    assert float(clip.scale.detach()) == pytest.approx(100, rel=1e-5)
    tokens = clip.tokens(NAMES)
    with torch.no_grad():
        logits = clip(pictures(), **tokens)
        cosines = clip.image_features(pictures()) @ clip.text_features(**tokens).T
    assert torch.allclose(logits, 100 * cosines, atol=1e-3)


def test_padding_changes_no_text():
    clip = tiny()
    short, both = clip.tokens(NAMES[:1]), clip.tokens([NAMES[0], "a blurry photo of a light green."])
    assert both["input_ids"].shape[1] > short["input_ids"].shape[1]
    with torch.no_grad():
        assert torch.allclose(clip.text_features(**short)[0], clip.text_features(**both)[0], atol=1e-6)


def test_texts_that_cannot_be_read_are_refused():
    for texts in ([], "a photo", ["a", " "]):
        with pytest.raises(UserError, match="at least one text, none of them empty"):
            tiny().tokens(texts)
    with pytest.raises(UserError, match=r"at most 32 tokens, got 43 .*shorter template or class name"):
        tiny().tokens([" ".join(["red"] * 41)])
