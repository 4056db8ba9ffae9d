"""Published CLIPs by folder or name, safetensors alone, and saving so that plain transformers reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.language._extra import need_text
from gradlab.language.encoder_files import IMAGES, EncoderFiles, find_encoder
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.clip.network import CLIP

DEFAULT = "openai/clip-vit-base-patch16"


def find_clip(place: str | Path = DEFAULT) -> EncoderFiles:
    """Find the files of a CLIP: a folder, else a name in the Hugging Face cache, else on the Hub.

    Args:
        place: path of a folder with config.json, model.safetensors, tokenizer.json and preprocessor_config.json, or a name.

    Raises:
        UserError: nothing there and no network, pickled weights alone, no tokenizer, no preprocessing, or another kind of model.
    """
    files = find_encoder(place, study="clip-zero-shot")
    told = _read(files.config)
    if told.get("model_type") != "clip":
        raise UserError(
            f"{files.folder} holds a model of type {told.get('model_type')!r}, not 'clip'; give the folder or name of a CLIP, "
            f"such as {DEFAULT}."
        )
    if not (files.folder / IMAGES).is_file():
        raise UserError(
            f"{files.folder} has no {IMAGES}, which says how the model's images are normalised; put the one that belongs to it "
            "there."
        )
    return files


def load_clip(place: str | Path | EncoderFiles = DEFAULT) -> CLIP:
    """Load a CLIP with its tokenizer and its preprocessing, on the CPU, in fp32 and eval mode; no code of it is run.

    Args:
        place: its folder, its name, or its files; see `find_clip`.

    Raises:
        UserError: not found, weights that do not fill the model, or the extra `text` is not installed.
    """
    need_text("CLIP")
    import torch
    from transformers import AutoTokenizer, CLIPModel

    from gradlab.clip.network import CLIP
    from gradlab.clip.preprocessing import preprocessing_of
    from gradlab.language.hugging_face import loading_errors, quiet_loading, reason_of

    files = place if isinstance(place, EncoderFiles) else find_clip(place)
    common: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_loading(), torch.random.fork_rng(devices=[]):
            model, told = CLIPModel.from_pretrained(
                files.folder,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused below, by name
                **common,
            )
            tokenizer = AutoTokenizer.from_pretrained(files.folder, **common)
    except loading_errors() as error:
        raise UserError(
            f"transformers cannot load the CLIP in {files.folder} ({reason_of(error)}); give another one."
        ) from error
    missing = sorted({*told["missing_keys"], *(one[0] for one in told["mismatched_keys"])})
    if missing:
        raise UserError(
            f"the weights in {files.folder} do not fill a CLIP: {len(missing):,} tensors are missing or of another shape "
            f"({', '.join(missing[:2])}); give the folder of a whole one."
        )
    size = int(model.config.vision_config.image_size)
    return CLIP(model, tokenizer, preprocessing_of(_read(files.folder / IMAGES), size)).eval()


def save_clip(clip: CLIP, folder: str | Path) -> Path:
    """Write a CLIP, adapters merged into its weights, as plain `CLIPModel.from_pretrained(folder)` reads it.

    Raises:
        UserError: the folder is there already, or the CLIP has a learned prompt, which such a folder cannot hold.
    """
    place = Path(folder)
    if place.exists() and any(place.iterdir()):
        raise UserError(f"{place} already exists; give another name, or delete it first.")
    if clip.template:
        raise UserError(
            "a learned prompt cannot be saved in a CLIPModel; keep the record of its training, or save the model it began with."
        )
    merge = getattr(clip.model, "merge_and_unload", None)
    if merge is not None:
        from gradlab.transfer.lora import merged

        plain: Any = merged(clip.model)
    else:
        plain = clip.model
    plain.save_pretrained(place)
    clip.tokenizer.save_pretrained(place)
    (place / IMAGES).write_text(json.dumps(clip.preprocessing.settings(), indent=1) + "\n", encoding="utf-8")
    return place


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged; fetch the model again.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged; fetch the model again.")
    return found
