import pytest
import torch
from torch.nn import functional

from gradlab.clip import CLIPClassifier
from gradlab.clip.context import with_context
from gradlab.types import UserError
from tests.clip.examples import NAMES, pictures, tiny

TEMPLATES = ("a photo of a {}.", "{}", "a blurry photo of a {}.")


def test_a_class_is_the_normalised_mean_of_its_normalised_prompts():
    clip, images = tiny(), pictures()
    with torch.no_grad():
        columns = []
        for name in NAMES:
            rows = [clip.text_features(**clip.tokens([one.format(name)]))[0] for one in TEMPLATES]
            mean = torch.stack([row / row.norm() for row in rows]).mean(0)
            columns.append(mean / mean.norm())
        wanted = clip.scale * functional.normalize(clip(images)) @ torch.stack(columns, 1)
        made = CLIPClassifier(clip, NAMES, TEMPLATES)
        assert torch.allclose(made(images), wanted, atol=1e-5)
        assert torch.allclose(CLIPClassifier(clip, NAMES, TEMPLATES, fix=False)(images), wanted, atol=1e-5)


def test_logits_are_the_same_in_training_and_in_evaluation():
    made = CLIPClassifier(tiny(), NAMES)
    with torch.no_grad():
        evaluated = made.eval()(pictures())
        assert torch.equal(made.train()(pictures()), evaluated)
    made.eval()


def test_gradients_reach_the_text_tower_only_where_embeddings_are_not_fixed():
    words = tiny().model.text_model.embeddings.token_embedding.weight
    for fix in (True, False):
        loss = CLIPClassifier(tiny(), NAMES, fix=fix)(pictures()).square().sum()
        (gradient,) = torch.autograd.grad(loss, [words], allow_unused=True)
        assert (gradient is None) == fix


def test_a_learned_prompt_takes_the_place_of_templates():
    clip = with_context(tiny(), 2, 0.02, 0)
    made = CLIPClassifier(clip, NAMES, TEMPLATES)
    assert made.input_ids.shape[0] == len(NAMES)
    assert torch.equal(made.input_ids, clip.tokens([f"X X {name}." for name in NAMES])["input_ids"])


def test_embeddings_of_classes_are_no_part_of_what_is_saved():
    assert all(name.startswith("clip.") for name in CLIPClassifier(tiny(), NAMES).state_dict())


@pytest.mark.parametrize("names", [("zebra", "quokka", "dark red"), ("Dark red", "dark red")])
def test_classes_that_are_the_same_tokens_are_refused(names):
    """Unknown words are one token, and the tokenizer reads no capitals."""
    with pytest.raises(
        UserError, match=f"the same tokens of the classes '{names[0]}' and '{names[1]}', so that it"
    ):
        CLIPClassifier(tiny(), names)


def test_many_prompts_go_through_the_text_tower_in_parts(monkeypatch):
    whole = CLIPClassifier(tiny(), NAMES, TEMPLATES).fixed
    monkeypatch.setattr("gradlab.clip.classifier.AT_ONCE", 5)
    sizes = []
    hook = tiny().model.text_model.register_forward_pre_hook(
        lambda _module, _given, more: sizes.append(len(more["input_ids"])), with_kwargs=True
    )
    assert torch.allclose(CLIPClassifier(tiny(), NAMES, TEMPLATES).fixed, whole, atol=1e-6)
    hook.remove()
    assert sizes == [5, 5, 2]
