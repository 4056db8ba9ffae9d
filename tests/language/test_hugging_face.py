"""Quiet loading that leaves transformers as it was, reasons in one line, and tokenizers of its class."""

import pytest
from transformers.utils import logging

from gradlab.language.hugging_face import fast_tokenizer, quiet_loading, reason_of
from tests.language.examples import tokenizer


def test_loading_is_quiet_and_leaves_the_settings_as_they_were_also_after_an_error():
    logging.set_verbosity_warning()
    for enable in (logging.enable_progress_bar, logging.disable_progress_bar):
        enable()
        before = logging.get_verbosity(), logging.is_progress_bar_enabled()
        with pytest.raises(RuntimeError, match="stop"), quiet_loading():  # noqa: PT012
            assert logging.get_verbosity() > before[0]
            assert not logging.is_progress_bar_enabled()
            raise RuntimeError("stop")
        assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    logging.enable_progress_bar()


def test_a_reason_is_one_short_line_and_the_kind_of_error_where_it_says_nothing():
    assert reason_of(ValueError(" no such file.\nat line 3")) == "no such file"
    assert reason_of(KeyError()) == "KeyError"
    assert len(reason_of(ValueError("x" * 500))) == 160


def test_the_tokenizer_of_transformers_gives_the_same_ids_and_cuts_at_the_same_length():
    words, text = tokenizer(), "splendid film with some dreadful scenes and rain"
    theirs = fast_tokenizer(words, 6)
    own = words.encode([text], 6)
    assert theirs(text, truncation=True)["input_ids"] == own.ids[: int(own.lengths[0])].tolist()
    assert theirs.mask_token == "[MASK]"
    assert theirs.model_input_names == ["input_ids", "attention_mask"]
