"""A fine-tuned classifier of texts as folders that plain transformers and peft read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from gradlab._files import sync_folder, sync_tree
from gradlab.lab.records.finding import find_record
from gradlab.lab.records.record import Record
from gradlab.models.saved import refuse_no_place
from gradlab.types import UserError


def export_text(record: Record | str | Path, out: str | Path, runs: str | Path = "runs") -> Path:
    """Write the classifier of a run of fine-tuning on texts, with its tokenizer.

    `AutoModelForSequenceClassification.from_pretrained(out)` and `AutoTokenizer.from_pretrained(out)` read it. A run of LoRA
    is merged there; beside it lie its adapters with the head in `out/adapter`, which
    `peft.PeftModel.from_pretrained(network, out/adapter)` puts on the network in `out/base`.

    Args:
        record: of kind text-finetune, its folder, or the first characters of its name. out: a folder that is not there yet.
        runs: folder in which the name of a record is looked for.

    Raises:
        UserError: a record of another kind, damaged or without weights, or something is at `out`.
    """
    from gradlab.procedures.text_finetune import classifier_of

    found = record if isinstance(record, Record) else find_record(record, runs, what="classifier")
    kind, damaged = found.spec["procedure"]["kind"], found.damaged()
    if kind != "text-finetune":
        raise UserError(f"record {found.hash} is of kind '{kind}'; give a run of text-finetune.")
    if damaged:
        raise UserError(f"record {found.hash} is damaged ({', '.join(damaged)}); run its study again.")
    place = Path(out)
    if place.is_symlink() or place.exists():
        raise UserError(f"{place} already exists; give another name, or delete it first.")
    refuse_no_place(place)
    model, tokenizer = classifier_of(found)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".export-") as folder:
        made = Path(folder) / place.name
        _write(model, tokenizer, made, place, int(found.spec["procedure"]["max_length"]))
        sync_tree(made)
        os.rename(made, place)
        sync_folder(place.parent)
    return place


def _write(model: Any, tokenizer: Any, made: Path, place: Path, limit: int) -> None:
    from gradlab.language import save_classifier
    from gradlab.language.text_encoder import longest
    from gradlab.transfer import merged, save_lora

    is_adapted = hasattr(model, "peft_config")
    whole: Any = merged(model) if is_adapted else model
    length = min(limit, longest(whole.config))
    save_classifier(whole, tokenizer, made, max_length=length)
    if is_adapted:
        save_lora(model, made / "adapter", str(place / "base"))
        save_classifier(model.unload(), tokenizer, made / "base", max_length=length)
