"""Configuration of a WordPiece vocabulary, and its training on the texts that a network trains on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradlab._configuration import dataclass
from gradlab.data import refuse_test
from gradlab.language._extra import need_text
from gradlab.language.tokenizer import CLASSIFY, SEPARATOR, SPECIAL, UNKNOWN, Tokenizer
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from gradlab.data import TextDataset, TextSplit

LONGEST_WORD = 100
"""Characters of a word above which it is unknown, as in BERT."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WordPiece:
    """A vocabulary of words and word pieces, learned by merging the commonest pairs (Sennrich et al., 2016,
    arXiv:1508.07909), and used by the longest match from the left as in BERT (Devlin et al., 2019, arXiv:1810.04805).

    Attributes:
        vocab_size: tokens at most, with the five special ones.
        lowercase: whether upper case and accents are dropped before anything else.
        min_frequency: how often two pieces must stand side by side to become one.
    """

    vocab_size: Count = 8000
    lowercase: bool = True
    min_frequency: Count = 2

    def train(self, texts: TextDataset | TextSplit | Sequence[str]) -> Tokenizer:
        """Learn the vocabulary; the same texts, in any order, give the same tokenizer byte for byte.

        Args:
            texts: a data set, of which the train part is read, or that part, or plain training texts. Validation and
                test texts are refused, since a vocabulary that has seen them knows what it is judged on.

        Raises:
            UserError: texts of another part, no texts, or a vocabulary too small for the characters in them.
        """
        need_text("a tokenizer")
        return Tokenizer(json=_learn(self, training_texts(texts)))


def training_texts(texts: TextDataset | TextSplit | Sequence[str]) -> list[str]:
    """Return the training texts of a data set or a training split, or plain texts as they are.

    Raises:
        UserError: validation or test texts, a single string, something else than strings, or nothing at all.
    """
    refuse_test(texts, "a tokenizer")
    part: Any = getattr(texts, "train", texts)
    role = getattr(part, "role", "train")
    if role != "train":
        raise UserError(
            f"a tokenizer is trained on training texts only, got {role} texts; pass the data set's train part."
        )
    given = getattr(part, "texts", part)
    if not isinstance(given, list | tuple) or not all(isinstance(text, str) for text in given):
        raise UserError(
            f"a tokenizer is trained on a list of texts, got {type(given).__name__}; pass [text, text, …]."
        )
    if not given:
        raise UserError("a tokenizer is trained on at least one text, got none.")
    return list(given)


def _learn(config: WordPiece, texts: list[str]) -> str:
    """Return the trained tokenizer as JSON.

    The trainer numbers the characters inside words in the order of a randomised hash table, and ties between pairs go
    by number. So they are handed to it as special tokens, sorted, and the vocabulary is put into a fresh tokenizer.
    """
    from tokenizers.trainers import WordPieceTrainer

    tokenizer = _untrained(config)
    characters, inner = _characters(tokenizer, texts)
    continuing = [f"##{character}" for character in inner]
    smallest = len(SPECIAL) + len(continuing) + len(characters)
    if config.vocab_size < smallest:
        raise UserError(
            f"vocab_size must have room for {len(SPECIAL)} special tokens and every character of the texts, alone and "
            f"inside words, got {config.vocab_size:,}; ask for at least {smallest:,}."
        )
    trainer = WordPieceTrainer(
        vocab_size=config.vocab_size,
        min_frequency=config.min_frequency,
        special_tokens=[*SPECIAL, *continuing],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    numbered = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return str(_untrained(config, dict(numbered)).to_str())


def _untrained(config: WordPiece, vocabulary: dict[str, int] | None = None) -> Any:
    """Return a tokenizer that cuts texts into words, with the vocabulary given."""
    from tokenizers import Tokenizer as Inner
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

    vocabulary = vocabulary or {}
    model = models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD)
    tokenizer = Inner(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=config.lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    if vocabulary:
        ends = ((SEPARATOR, vocabulary[SEPARATOR]), (CLASSIFY, vocabulary[CLASSIFY]))
        tokenizer.post_processor = processors.BertProcessing(*ends)
    return tokenizer


def _characters(tokenizer: Any, texts: list[str]) -> tuple[list[str], list[str]]:
    """Return all characters of the words, and those after the first of a word, each sorted."""
    words = {
        word
        for text in texts
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    }
    return sorted(set().union(*words)), sorted(set().union(*(word[1:] for word in words)))
