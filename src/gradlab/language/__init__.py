"""Texts: a tokenizer trained here, small transformers from a configuration, and a token feed for `fit`."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "TextTransformer": "transformer",
        "TokenFeed": "feed",
        "Tokenizer": "tokenizer",
        "Tokens": "tokens",
        "WordPiece": "wordpiece",
        "padding_share": "lengths",
        "token_feed": "feed",
    },
)

if TYPE_CHECKING:
    from gradlab.language.feed import TokenFeed as TokenFeed
    from gradlab.language.feed import token_feed as token_feed
    from gradlab.language.lengths import padding_share as padding_share
    from gradlab.language.tokenizer import Tokenizer as Tokenizer
    from gradlab.language.tokens import Tokens as Tokens
    from gradlab.language.transformer import TextTransformer as TextTransformer
    from gradlab.language.wordpiece import WordPiece as WordPiece
