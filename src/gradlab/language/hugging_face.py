"""What every use of the package transformers needs: quiet loading, short reasons, and tokenizers of its class."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from gradlab.language.tokenizer import Tokenizer


def fast_tokenizer(tokenizer: Tokenizer, longest: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer as the class of transformers that reads a tokenizer.json.

    Args:
        longest: most tokens of a text, which it cuts at where it is asked to.
    """
    from transformers import PreTrainedTokenizerFast

    padding, unknown, first, last, mask = tokenizer.special
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.inner(),
        model_max_length=longest,
        model_input_names=["input_ids", "attention_mask"],
        split_special_tokens=True,  # as in training: their names in a text are words like any other
        pad_token=padding,
        unk_token=unknown,
        cls_token=first,
        sep_token=last,
        mask_token=mask,
    )


def loading_errors() -> tuple[type[Exception], ...]:
    """Return what transformers raises where it cannot load a folder; damaged safetensors have an error of their own."""
    from safetensors import SafetensorError

    return (
        OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, ImportError, SafetensorError,
    )  # fmt: skip


def reason_of(error: Exception) -> str:
    """Return the first line of what an error says, at most 160 characters, without a full stop."""
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:160].rstrip(".")


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Silence what transformers says while it loads; what matters is raised."""
    from transformers.utils import logging as theirs

    level = theirs.get_verbosity()
    bar = theirs.is_progress_bar_enabled()
    theirs.set_verbosity(logging.CRITICAL)
    theirs.disable_progress_bar()
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        if bar:
            theirs.enable_progress_bar()
