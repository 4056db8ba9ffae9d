"""A small encoder with random weights, saved as a published one is."""

from pathlib import Path

from gradlab.language import TextTransformer, WordPiece, build_encoder
from gradlab.procedures.text_encoder import PretrainedEncoder, encoder_source
from tests.procedures.examples import DATA

SMALL = TextTransformer(dim=8, layers=2, heads=2, hidden_dim=16, max_length=12, dropout=0.1, initial_std=0.3)


def encoder_in(folder: Path) -> PretrainedEncoder:
    """Write the encoder below a folder and return it as a source."""
    tokenizer = WordPiece(vocab_size=60).train(DATA["reviews"])
    return encoder_source(build_encoder(SMALL, tokenizer, seed=5).save(folder / "small-encoder"))
