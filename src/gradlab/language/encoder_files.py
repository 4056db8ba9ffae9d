"""Where a published text encoder lies: a folder, or a name in the Hugging Face cache or on the Hub; safetensors alone."""

from __future__ import annotations

import importlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.types import UserError

DEFAULT = "distilbert-base-uncased"
CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"
VOCABULARIES = ("vocab.txt", "vocab.json")
"""Files from which transformers makes a tokenizer where there is no tokenizer.json."""
BESIDE = ("merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
"""Further files that a tokenizer depends on."""
IMAGES = "preprocessor_config.json"
"""How images are prepared, where the model reads any."""
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt.index", "tf_model.h5")
NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
TIMEOUT = 5.0
"""Seconds to wait for the Hub's first answer."""


@dataclass(frozen=True)
class EncoderFiles:
    """The files that a published encoder consists of; all that it computes depends on them.

    Attributes:
        config: config.json. weights: one safetensors file, or several with their index first. tokenizer: tokenizer.json, or a
            vocabulary, with the files that go with it.
    """

    config: Path
    weights: tuple[Path, ...]
    tokenizer: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.config.parent

    @property
    def name(self) -> str:
        """What people call it: the name in the Hugging Face cache, else that of the folder."""
        for part in self.folder.absolute().parts:
            if part.startswith("models--"):
                return part.removeprefix("models--").replace("--", "/")
        return self.folder.absolute().name


def find_encoder(place: str | Path = DEFAULT, *, study: str = "text-features") -> EncoderFiles:
    """Find the files of an encoder: a folder, else a name in the Hugging Face cache, else on the Hub.

    Args:
        place: path of a folder with config.json, model.safetensors and tokenizer.json, or a name such as "bert-base-uncased".
        study: that pre-trains a small model where none can be had, for the sentence that says so.

    Raises:
        UserError: nothing there and no network, pickled weights alone, an adapter, or no tokenizer.
    """
    folder = Path(place).expanduser()
    if folder.is_file() and folder.name in (CONFIG, WEIGHTS):
        folder = folder.parent
    if folder.is_dir():
        return _in_folder(folder)
    name = str(place)
    if not NAME.fullmatch(name) or ".." in name:
        raise UserError(
            f"there is no folder {name}; give the folder of an encoder, or its name, such as {DEFAULT}."
        )
    return _in_folder(_from_hub(name, study))


def _in_folder(folder: Path) -> EncoderFiles:
    there = {one.name for one in folder.iterdir()}
    if CONFIG not in there:
        raise UserError(
            f"{folder} is not the folder of an encoder: it has no {CONFIG}; save one there with save_pretrained, or give another."
        )
    if "adapter_config.json" in there:
        raise UserError(
            f"{folder} holds an adapter; merge it into its encoder (merge_and_unload in peft), save that, and give its folder."
        )
    if not there & {WEIGHTS, INDEX}:
        raise UserError(_no_safetensors(folder, there))
    vocabulary = next((one for one in (TOKENIZER, *VOCABULARIES) if one in there), None)
    if vocabulary is None:
        raise UserError(
            f"{folder} has no tokenizer; put the {TOKENIZER} that belongs to the encoder beside its weights "
            "(tokenizer.save_pretrained writes it)."
        )
    names = (vocabulary, *(one for one in BESIDE if one in there))
    return EncoderFiles(folder / CONFIG, _weights(folder, there), tuple(folder / one for one in names))


def _no_safetensors(folder: Path, there: set[str]) -> str:
    pickled = next((one for one in PICKLES if one in there), None)
    if pickled is None:
        return (
            f"{folder} holds no weights: {WEIGHTS} is missing; save the encoder there with save_pretrained."
        )
    return (
        f"{folder} holds {pickled} and no {WEIGHTS}; gradlab opens safetensors alone, since loading a pickle can run any code: "
        "where you trust it, load it in transformers and save it with save_pretrained."
    )


def _weights(folder: Path, there: set[str]) -> tuple[Path, ...]:
    if WEIGHTS in there:
        return (folder / WEIGHTS,)
    try:
        listed = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()
        parts = sorted({str(one) for one in listed})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{folder / INDEX} is damaged; fetch the encoder again.") from error
    missing = [one for one in parts if one not in there or not one.endswith(".safetensors")]
    if missing or not parts:
        raise UserError(
            f"{folder} lacks the weights {', '.join(missing[:3])}, which {INDEX} names; fetch the encoder again."
        )
    return (folder / INDEX, *(folder / one for one in parts))


def _from_hub(name: str, study: str) -> Path:
    help_text = (
        f"give the folder of an encoder ({CONFIG}, {WEIGHTS}, {TOKENIZER}); `gradlab run {study}` with its preset "
        f"standard pre-trains a small one; or, with an internet connection, run: hf download {name}"
    )
    try:
        hub: Any = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise UserError(
            f"there is no folder {name}, and huggingface_hub is not installed to look it up; {help_text}"
        ) from error
    wanted = [CONFIG, "model*.safetensors", INDEX, TOKENIZER, *VOCABULARIES, *BESIDE, IMAGES]
    reason = ""
    for local in (True, False):
        httpx = sys.modules.get("httpx")
        failures: tuple[type[Exception], ...] = (OSError, ValueError, RuntimeError)
        failures += (httpx.HTTPError,) if httpx else ()
        try:
            found = Path(
                hub.snapshot_download(
                    name, allow_patterns=wanted, local_files_only=local, etag_timeout=TIMEOUT
                )
            )
        except failures as error:
            reason = (str(error).split("\n")[0] or type(error).__name__)[:120].rstrip(".")
            continue
        if not local or (found / CONFIG).is_file():
            return found
    raise UserError(
        f"encoder '{name}' is neither a folder nor in the cache, and the Hub did not give it ({reason}); {help_text}"
    )
