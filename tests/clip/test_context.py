import pytest
import torch

from gradlab.clip.context import with_context
from gradlab.types import UserError
from tests.clip.examples import equal, state_of, tiny


def test_vectors_stand_after_the_first_token_and_everything_else_is_looked_up():
    before = state_of(tiny())
    clip = with_context(tiny(), 3, 0.5, seed=1)
    ids = clip.tokens([clip.template.format("dark red"), clip.template.format("light green")])["input_ids"]
    table = tiny().model.text_model.embeddings.token_embedding
    context = clip.model.text_model.embeddings.token_embedding
    found, plain = context(ids), table(ids)
    assert torch.equal(found[:, 0], plain[:, 0])
    assert torch.equal(found[:, 4:], plain[:, 4:])
    for row in found[:, 1:4]:
        assert torch.equal(row, context.vectors)
    words = clip.tokenizer.convert_ids_to_tokens(ids[0].tolist())
    assert words[4:6] == ["dark", "red"]
    trained = [name for name, one in clip.named_parameters() if one.requires_grad]
    assert trained == ["model.text_model.embeddings.token_embedding.vectors"]
    assert equal(state_of(tiny()), before)
    assert all(one.requires_grad for one in tiny().parameters())


def test_vectors_are_drawn_from_the_seed_with_the_deviation_asked_for():
    def drawn(seed, std=0.02):
        return with_context(tiny(), 16, std, seed).model.text_model.embeddings.token_embedding.vectors

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    assert torch.allclose(drawn(1, 0.2), 10 * drawn(1))
    assert 0.015 < float(drawn(1).detach().std()) < 0.025


def test_a_second_prompt_over_a_learned_one_is_refused():
    with pytest.raises(UserError, match="has a learned prompt already"):
        with_context(with_context(tiny(), 2, 0.02, 0), 2, 0.02, 0)
