"""The tokenizer of a small CLIP in the form that the package transformers reads and writes."""

from __future__ import annotations

from typing import Any

from gradlab.language._extra import need_text


def fast_tokenizer(json: str, max_length: int) -> Any:
    """Return a `PreTrainedTokenizerFast` of a tokenizer that `gradlab.language.WordPiece` trained.

    Args:
        json: as `gradlab.language.Tokenizer` keeps it. max_length: tokens of a text at most.
    """
    need_text("CLIP's tokenizer")
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json),
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
