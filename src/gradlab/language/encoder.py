"""Text encoders by name, folder or configuration; loads torch and transformers only to build one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.language._extra import need_text
from gradlab.language.encoder_files import DEFAULT, EncoderFiles, find_encoder

if TYPE_CHECKING:
    from gradlab.language.text_encoder import TextEncoder
    from gradlab.language.tokenizer import Tokenizer
    from gradlab.language.transformer import TextTransformer


def load_encoder(place: str | Path | EncoderFiles = DEFAULT) -> TextEncoder:
    """Load a published encoder with its tokenizer, on the CPU, in fp32 and eval mode.

    Args:
        place: its folder, its name, or its files; see `find_encoder`. No code that came with it is run.

    Raises:
        UserError: not found, of an architecture that transformers does not have, weights or a tokenizer that do not fit, or
            the extra `text` is not installed.
    """
    need_text("an encoder of texts")
    from gradlab.language.text_encoder import read_encoder

    return read_encoder(place if isinstance(place, EncoderFiles) else find_encoder(place))


def build_encoder(
    config: TextTransformer | Mapping[str, Any], tokenizer: Tokenizer, *, seed: int
) -> TextEncoder:
    """Build an encoder with fresh random weights: every one from the stream of (seed, its name).

    Args:
        config: of a small transformer, or what `TextEncoder.facts` returned of another encoder.

    Raises:
        UserError: an architecture that transformers does not have, or the extra `text` is not installed.
    """
    need_text("an encoder of texts")
    from gradlab.language.text_encoder import fresh_encoder

    return fresh_encoder(config, tokenizer, seed)
