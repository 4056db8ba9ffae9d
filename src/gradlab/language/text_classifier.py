"""Classifiers of texts: an encoder under the head of its family, its parts, and folders that plain transformers reads."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from gradlab.language.encoder_files import EncoderFiles
from gradlab.language.hugging_face import fast_tokenizer, loading_errors, quiet_loading, reason_of
from gradlab.language.text_encoder import TextEncoder
from gradlab.language.tokenizer import Tokenizer
from gradlab.language.transformer_network import initialise
from gradlab.models._randomness import seeded
from gradlab.types import UserError

WHOLE = {"neg": "negative", "pos": "positive"}
"""What class names of data abbreviate."""


def text_classifier(encoder: TextEncoder, class_names: Sequence[str], *, seed: int) -> PreTrainedModel:
    """Return the transformers class for sequence classification over an encoder: its weights, and a new head.

    Args:
        encoder: left as it was. class_names: of the K outputs, at least two; they become `config.id2label`.
        seed: of the head, every tensor of which has a stream of its own by its name. A pooler, as BERT has, is part of it.

    Raises:
        UserError: fewer than two classes, one named twice, or an architecture without such a class.
    """
    if len(class_names) < 2:
        raise UserError(f"a classifier needs at least two classes, got {len(class_names)}.")
    twice = next((name for place, name in enumerate(class_names) if name in class_names[:place]), None)
    if twice is not None:
        raise UserError(f"the class '{twice}' is named twice; name each class once.")
    config: Any = copy.deepcopy(encoder.transformer.config)
    config.id2label = dict(enumerate(class_names))
    config.label2id = {name: number for number, name in enumerate(class_names)}
    try:
        with quiet_loading(), seeded(seed):  # the constructors draw values, which initialise replaces
            model = AutoModelForSequenceClassification.from_config(
                config, attn_implementation=config._attn_implementation
            )
    except (ValueError, KeyError) as error:
        raise UserError(
            f"transformers cannot put a head for classification on this encoder ({reason_of(error)}); take another one."
        ) from error
    initialise(model, seed, float(getattr(config, "initializer_range", 0.02)))
    missing, unexpected = model.base_model.load_state_dict(encoder.transformer.state_dict(), strict=False)
    lost = [name for name in missing if not name.startswith("pooler.")] + list(unexpected)
    if lost:
        raise UserError(
            f"'{lost[0]}' of the encoder has no place in {type(model).__name__}; take another encoder."
        )
    return model


def head_modules(model: PreTrainedModel) -> tuple[str, ...]:
    """Return the names of the modules of a classifier that are its head: what the encoder does not have, and a pooler."""
    body = model.base_model_prefix
    pooler = (f"{body}.pooler",) if getattr(model.base_model, "pooler", None) is not None else ()
    return pooler + tuple(
        name
        for name, child in model.named_children()
        if name != body and any(True for _ in child.parameters())
    )


def classifier_parts(model: PreTrainedModel) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Divide a classifier into parts from the input to its head: (name, names of its parameters).

    The first part are the embeddings, with whatever else of the encoder stands in no block; then every block; the last
    part is the head.
    """
    body = model.base_model_prefix
    lists = [(name, one) for name, one in model.base_model.named_modules() if isinstance(one, nn.ModuleList)]
    if not lists:
        raise UserError(
            f"{type(model).__name__} has no list of blocks, so no part of it could be frozen; take another."
        )
    place, blocks = max(lists, key=lambda item: sum(one.numel() for one in item[1].parameters()))
    names = [name for name, _ in model.named_parameters()]
    own = [f"{body}.{place}.{number}" for number in range(len(blocks))]
    parts = [(name, tuple(one for one in names if one.startswith(f"{name}."))) for name in own]
    heads = head_modules(model)
    head = tuple(one for one in names if one.startswith(tuple(f"{name}." for name in heads)))
    taken = set(head).union(*(inside for _, inside in parts))
    return ((body, tuple(one for one in names if one not in taken)), *parts, (heads[-1], head))


def load_classifier(
    files: EncoderFiles, class_names: Sequence[str], called: Sequence[str] | None = None
) -> tuple[PreTrainedModel, list[int]]:
    """Load a classifier that was trained already, in fp32 and eval mode; no code that came with it is run.

    Args:
        class_names: of the data. called: what the classifier calls each of these classes, in their order, where it names them
            otherwise, such as ("1 star", "5 stars"); capitals do not count, and neg and pos are negative and positive.

    Returns: it, and for each of `class_names` the number of its output.

    Raises:
        UserError: no head in the weights, or outputs that are not these classes.
    """
    try:
        with quiet_loading(), torch.random.fork_rng(devices=[]):
            model, told = AutoModelForSequenceClassification.from_pretrained(
                files.folder,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # a head of other classes is refused below
                local_files_only=True,
                trust_remote_code=False,
            )
    except loading_errors() as error:
        raise UserError(
            f"transformers cannot load the classifier in {files.folder} ({reason_of(error)}); give another one."
        ) from error
    missing = sorted({*told["missing_keys"], *(one[0] for one in told["mismatched_keys"])})
    if missing:
        raise UserError(
            f"{files.folder} holds no trained head ({', '.join(missing[:2])} is missing or of another shape); give a folder "
            "saved from a class for sequence classification, or fine-tune this encoder."
        )
    return model.eval(), _outputs(model.config, list(class_names), called, files.name)


def _outputs(config: Any, class_names: list[str], called: Sequence[str] | None, name: str) -> list[int]:
    """Return which output stands for each class, by name; unnamed ones (LABEL_0) stand in the order of the classes."""
    labels = [str(config.id2label[number]).lower() for number in range(config.num_labels)]
    wanted = list(class_names if called is None else called)
    if called is None and labels == [f"label_{number}" for number in range(len(class_names))]:
        return list(range(len(class_names)))
    known = [_plain(one) for one in labels]
    if len(wanted) != len(class_names) or sorted(map(_plain, wanted)) != sorted(known) or _doubled(known):
        told = "" if called is None else f", called {', '.join(wanted)}"
        raise UserError(
            f"the classifier '{name}' names {', '.join(labels)}, the data {', '.join(class_names)}{told}; give one for these "
            "classes, or say in called= what it calls each of them, in the order of the data."
        )
    return [known.index(_plain(one)) for one in wanted]


def _plain(name: str) -> str:
    """Return a class name in small letters, without its abbreviation."""
    return WHOLE.get(name.strip().lower(), name.strip().lower())


def _doubled(names: list[str]) -> bool:
    return len(set(names)) < len(names)


def save_classifier(
    model: PreTrainedModel, tokenizer: Tokenizer, folder: str | Path, *, max_length: int
) -> None:
    """Write config.json, model.safetensors and the tokenizer, as plain `from_pretrained(folder)` reads them.

    Args:
        max_length: most tokens of a text, which the tokenizer then cuts at.
    """
    with quiet_loading():
        model.save_pretrained(folder)
    fast_tokenizer(tokenizer, max_length).save_pretrained(folder)
