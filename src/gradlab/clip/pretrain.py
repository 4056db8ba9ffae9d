"""Contrastive pre-training of a small CLIP on labelled images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.clip.classifier import refuse_alike
from gradlab.clip.contrastive import Contrastive, PairFeed
from gradlab.clip.network import CLIP
from gradlab.clip.preprocessing import Preprocessing
from gradlab.clip.prompts import ENSEMBLE, NAME, PHOTO, described, prompts_of, spoken
from gradlab.clip.small import SmallCLIP
from gradlab.language import Tokenizer, WordPiece
from gradlab.language._extra import need_text
from gradlab.training.fit import Fit, fit_stacked
from gradlab.training.recipe import Precision, Recipe
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset

SENTENCES = (*PHOTO, *NAME, *ENSEMBLE[1:])
"""Templates of the captions of training images; that of validation is the first."""


def captions_of(class_names: Sequence[str]) -> list[list[str]]:
    """Return the captions of every class: its name, with its group where that is known and without, in sentences."""
    whole = prompts_of([described(name) for name in class_names], SENTENCES)
    plain = prompts_of([spoken(name) for name in class_names], SENTENCES)
    if whole == plain:
        return plain
    return [[*one, *other] for one, other in zip(whole, plain, strict=True)]  # as many of every class


def build_small(config: SmallCLIP, data: Dataset, *, seed: int) -> CLIP:
    """Build a CLIP with fresh weights for the images of `data`, its tokenizer trained on the captions of their classes.

    Raises:
        UserError: images that are not square, or data without a train or validation part.
    """
    data.trainable()
    _, height, width = data.input_shape
    if height != width:
        raise UserError(
            f"CLIP reads square images, got {height}×{width}; write {data.name}@{min(height, width)}."
        )
    words = WordPiece().train([text for one in captions_of(data.class_names) for text in one])
    channels = 3 // len(data.mean)
    return assemble(config, words.json, height, data.mean * channels, data.std * channels, seed=seed)


def assemble(
    config: SmallCLIP, words: str, size: int, mean: Sequence[float], std: Sequence[float], *, seed: int
) -> CLIP:
    """Build a CLIP with fresh weights.

    Args:
        words: JSON of a tokenizer that `gradlab.language.WordPiece` trained.
        size: of the images in pixels. mean, std: of their three channels, on the [0, 1] scale.
    """
    need_text("CLIP")
    from gradlab.language.hugging_face import fast_tokenizer

    tokenizer = fast_tokenizer(Tokenizer(words), config.max_length)
    ends = {"end": tokenizer.sep_token_id, "pad": tokenizer.pad_token_id}
    model = config.build(size, vocab=len(tokenizer), **ends, seed=seed)
    return CLIP(model, tokenizer, Preprocessing(size, mean, std)).eval()


def pair_feeds(clip: CLIP, data: Dataset, *, flips: bool) -> tuple[PairFeed, PairFeed]:
    """Return training and validation images with the captions of their classes.

    Raises:
        UserError: captions that are longer than the text tower reads, or classes that the tokenizer cannot tell apart.
    """
    captions = captions_of(data.class_names)
    tokens = clip.tokens([text for one in captions for text in one])
    refuse_alike(data.class_names, tokens["input_ids"])
    ids, mask = (
        tokens[name].view(len(captions), len(captions[0]), -1) for name in ("input_ids", "attention_mask")
    )
    train, validation = data.trainable()
    return PairFeed(train, ids, mask, flips), PairFeed(validation, ids, mask, flips)


def pretrain(
    clip: CLIP,
    data: Dataset,
    recipe: Recipe | None = None,
    *,
    flips: bool = True,
    seed: int = 0,
    device: str = "auto",
    precision: Precision | None = None,
    checkpoint: str | Path | None = None,
    **more: Any,
) -> Fit:
    """Train a copy of a CLIP, both towers, on pairs of images and captions; the given one is left as it was.

    Args:
        clip: as `build_small` makes it. data: labelled images, whose captions are made from the names of their classes.
        flips: whether images may be mirrored. seed: of order, captions and flips.
        checkpoint: and all else as in `gradlab.training.fit`.
    """
    train, validation = pair_feeds(clip, data, flips=flips)
    (done,) = fit_stacked(
        [clip],
        train,
        recipe or Recipe(),
        seeds=[seed],
        validation=validation,
        objective=Contrastive(),
        device=device,
        precision=precision,
        checkpoint=checkpoint,
        **more,
    )
    return done
