import torch
from torch.nn import functional

from gradlab.clip import CLIPClassifier
from gradlab.clip.context import with_context
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
