"""Contrastive pre-training of a small CLIP on labelled images."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
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
from gradlab.transfer.fine_tune import tune as tune_in_stages
from gradlab.transfer.policies import Stage
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset
    from gradlab.language import TextEncoder

TEXT_TOWER = "model.text_model."
"""Where the names of its parameters begin."""
SENTENCES = (*PHOTO, *NAME, *ENSEMBLE[1:])
"""Templates of the captions of training images; that of validation is the first."""


def captions_of(class_names: Sequence[str]) -> list[list[str]]:
    """Return the captions of every class: its name, with its group where that is known and without, in sentences."""
    whole = prompts_of([described(name) for name in class_names], SENTENCES)
    plain = prompts_of([spoken(name) for name in class_names], SENTENCES)
    if whole == plain:
        return plain
    return [[*one, *other] for one, other in zip(whole, plain, strict=True)]  # as many of every class


def build_small(config: SmallCLIP, data: Dataset, *, seed: int, text: TextEncoder | None = None) -> CLIP:
    """Build a CLIP with fresh weights for the images of `data`, its tokenizer trained on the captions of their classes.

    Args:
        text: a pre-trained text tower, whose tokenizer and weights the CLIP starts with instead of fresh ones.

    Raises:
        UserError: images that are not square, data without a train or validation part, or a text tower of another shape.
    """
    data.trainable()
    _, height, width = data.input_shape
    if height != width:
        raise UserError(
            f"CLIP reads square images, got {height}×{width}; write {data.name}@{min(height, width)}."
        )
    words = WordPiece().train([caption for one in captions_of(data.class_names) for caption in one])
    channels = 3 // len(data.mean)
    shape = (height, data.mean * channels, data.std * channels)
    clip = assemble(config, words.json, *shape, seed=seed)
    if text is None:
        return clip
    made = assemble(config, text.tokenizer.json, *shape, seed=seed)
    return _start_from(made, clip, config, text)


def _start_from(made: CLIP, fresh: CLIP, config: SmallCLIP, text: TextEncoder) -> CLIP:
    """Fill a CLIP with a pre-trained text tower, and for the rest with the bits that it has without one."""
    wanted = {name: tuple(one.shape) for name, one in made.model.text_model.state_dict().items()}
    given = text.transformer.state_dict()
    heads = getattr(text.transformer.config, "num_attention_heads", None)
    if wanted != {name: tuple(one.shape) for name, one in given.items()} or heads != config.text_heads:
        raise UserError(
            f"this CLIP's text tower has {config.text_layers} layers of width {config.text_width}, {config.text_heads} heads and "
            f"texts of {config.max_length} tokens, which the pre-trained {type(text.transformer).__name__} does not fill; "
            "pre-train SmallCLIP.text_tower()."
        )
    made.load_state_dict(
        {name: one for name, one in fresh.state_dict().items() if not name.startswith(TEXT_TOWER)},
        strict=False,
    )
    made.model.text_model.load_state_dict(given)
    return made


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
    frozen_epochs: int = 0,
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
        frozen_epochs: in how many of the first epochs the text tower stays as it is, its projection aside; what follows is a
            fit of its own, whose optimiser and schedule start anew.
        checkpoint: and all else as in `gradlab.training.fit`.
    """
    train, validation = pair_feeds(clip, data, flips=flips)
    recipe = recipe or Recipe()
    common: dict[str, Any] = {"validation": validation, "objective": Contrastive(), "device": device}
    common["precision"] = precision
    if frozen_epochs:
        folder = None if checkpoint is None else Path(checkpoint).with_suffix(".parts")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        stages, start = _stages(clip, recipe, frozen_epochs), copy.deepcopy(clip)
        return tune_in_stages(start, stages, train, recipe, seed=seed, folder=folder, **common, **more).fit
    (done,) = fit_stacked([clip], train, recipe, seeds=[seed], checkpoint=checkpoint, **common, **more)
    return done


def _stages(clip: CLIP, recipe: Recipe, frozen_epochs: int) -> tuple[Stage, ...]:
    """Return the epochs in which the text tower is frozen, and those in which everything trains."""
    every = tuple(name for name, _ in clip.named_parameters())
    rest = recipe.epochs - frozen_epochs
    first = Stage(
        tuple(name for name in every if not name.startswith(TEXT_TOWER)),
        replace(recipe, epochs=min(frozen_epochs, recipe.epochs)),
    )
    return (first, Stage(every, replace(recipe, epochs=rest))) if rest > 0 else (first,)
