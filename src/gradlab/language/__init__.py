"""Texts: tokenizers, encoders published or of a configuration, and a token feed for `fit`."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Corpus": "corpus",
        "EncoderFiles": "encoder_files",
        "MaskedLanguage": "masked_language",
        "MaskedLanguageModel": "masked_language",
        "NextToken": "next_token",
        "NextTokenModel": "next_token",
        "TextEncoder": "text_encoder",
        "TextTransformer": "transformer",
        "TokenFeed": "feed",
        "Tokenizer": "tokenizer",
        "Tokens": "tokens",
        "Word": "words",
        "WordPiece": "wordpiece",
        "all_features": "features",
        "build_encoder": "encoder",
        "classifier_parts": "text_classifier",
        "features": "features",
        "find_encoder": "encoder_files",
        "head_modules": "text_classifier",
        "load_classifier": "text_classifier",
        "load_encoder": "encoder",
        "mask_tokens": "masking",
        "padding_share": "lengths",
        "pool": "features",
        "pretraining_corpus": "corpus",
        "save_classifier": "text_classifier",
        "text_classifier": "text_classifier",
        "token_feed": "feed",
        "words_of": "words",
    },
)

if TYPE_CHECKING:
    from gradlab.language.corpus import Corpus as Corpus
    from gradlab.language.corpus import pretraining_corpus as pretraining_corpus
    from gradlab.language.encoder import build_encoder as build_encoder
    from gradlab.language.encoder import load_encoder as load_encoder
    from gradlab.language.encoder_files import EncoderFiles as EncoderFiles
    from gradlab.language.encoder_files import find_encoder as find_encoder
    from gradlab.language.features import all_features as all_features
    from gradlab.language.features import features as features
    from gradlab.language.features import pool as pool
    from gradlab.language.feed import TokenFeed as TokenFeed
    from gradlab.language.feed import token_feed as token_feed
    from gradlab.language.lengths import padding_share as padding_share
    from gradlab.language.masked_language import MaskedLanguage as MaskedLanguage
    from gradlab.language.masked_language import MaskedLanguageModel as MaskedLanguageModel
    from gradlab.language.masking import mask_tokens as mask_tokens
    from gradlab.language.next_token import NextToken as NextToken
    from gradlab.language.next_token import NextTokenModel as NextTokenModel
    from gradlab.language.text_classifier import classifier_parts as classifier_parts
    from gradlab.language.text_classifier import head_modules as head_modules
    from gradlab.language.text_classifier import load_classifier as load_classifier
    from gradlab.language.text_classifier import save_classifier as save_classifier
    from gradlab.language.text_classifier import text_classifier as text_classifier
    from gradlab.language.text_encoder import TextEncoder as TextEncoder
    from gradlab.language.tokenizer import Tokenizer as Tokenizer
    from gradlab.language.tokens import Tokens as Tokens
    from gradlab.language.transformer import TextTransformer as TextTransformer
    from gradlab.language.wordpiece import WordPiece as WordPiece
    from gradlab.language.words import Word as Word
    from gradlab.language.words import words_of as words_of
