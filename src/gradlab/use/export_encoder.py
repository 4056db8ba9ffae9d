"""The encoder of a run as a folder that plain transformers loads."""

from __future__ import annotations

from pathlib import Path

from gradlab.lab.records.finding import find_record
from gradlab.models.saved import is_model_folder, refuse_no_place
from gradlab.procedures.text_encoder import encoder_of
from gradlab.types import UserError
from gradlab.use.export_text import export_text


def export_encoder(place: str | Path, out: str | Path, runs: str | Path = "runs") -> Path | None:
    """Write config.json, model.safetensors and the tokenizer of a run that left an encoder or a classifier of texts.

    Args:
        place: a record's folder, or the first characters of its name. out: folder that is made; runs: as in `open_trained`.
    Returns: the folder, or None where the run left no encoder.

    Raises:
        UserError: no such record, it is damaged, or something is there already.
    """
    if not str(place).strip() or is_model_folder(Path(place)):
        return None
    record = find_record(place, runs, what="model")
    if record.spec["procedure"]["kind"] == "text-finetune":
        return export_text(record, out)
    if "special_tokens" not in record.facts:
        return None
    if record.damaged():
        raise UserError(f"record {record.folder} is damaged; delete its folder and run the study again.")
    refuse_no_place(Path(out))
    return encoder_of(record, record.spec["seed"] or 0).save(out)
