"""A published CLIP that runs rest on: `PretrainedCLIP`, and what every run over a CLIP shares."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradlab._configuration import dataclass
from gradlab._files import write_whole
from gradlab.lab.designing.procedure import Procedure, WeightsName
from gradlab.lab.kinds import Kind
from gradlab.language.encoder_files import IMAGES, EncoderFiles
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from gradlab.clip import CLIP
    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job

SOFTWARE = ("torch", "transformers", "tokenizers")
"""What the bits of a CLIP depend on."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PretrainedCLIP(Procedure):
    """A CLIP of Hugging Face's that lies here; `clip_source` finds its files by folder or name.

    Attributes:
        config, weights, tokenizer, preprocessing: paths of its files; what they hold counts.
    """

    kind: Literal["clip"] = "clip"
    config: WeightsName
    weights: tuple[WeightsName, ...]
    tokenizer: tuple[WeightsName, ...]
    preprocessing: WeightsName


def clip_source(place: str | Path) -> PretrainedCLIP:
    """Return how a spec knows a published CLIP, given by folder or name.

    Raises:
        UserError: it is not here and cannot be had, or is none; says what to do.
    """
    from gradlab.clip import find_clip

    files = find_clip(place)
    return PretrainedCLIP(
        config=str(files.config),
        weights=tuple(map(str, files.weights)),
        tokenizer=tuple(map(str, files.tokenizer)),
        preprocessing=str(files.folder / IMAGES),
    )


def need_clip(job: Job) -> CLIP:
    """Return the CLIP that a job rests on.

    Raises:
        UserError: its network is something else, such as a classifier of images.
    """
    from gradlab.clip import CLIP

    found = job.network()
    if not isinstance(found, CLIP):
        raise UserError(
            f"this needs a CLIP, got {type(found).__name__}; give the folder or name of one, or a record of clip-pretrain or "
            "clip-tune."
        )
    return found


def test_of(data: Dataset) -> Any:
    """Return the test images of some data.

    Raises:
        UserError: there are none.
    """
    if data.test is None:
        raise UserError(
            f"'{data.name}' has no test images here, so its runs cannot be judged; choose other data."
        )
    return data.test


def source_of(job: Job) -> Mapping[str, Any] | None:
    """Return what a record keeps of the source that its job rests on, from which `clip_below` finds it; None over a record.

    Of a published CLIP these are its name and the checksums of its files. Where they lie is noted beside the records, for this
    machine, and stands in no record.
    """
    from gradlab.lab.designing.procedure import dump_procedure
    from gradlab.lab.records.record import as_json
    from gradlab.lab.running.desk import Source

    known = job.inputs["net"]
    if not isinstance(known, Source):
        return None
    told = dump_procedure(known.procedure)
    if not isinstance(known.procedure, PretrainedCLIP):
        return told
    note = _note(job.store, known.hash)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_whole(note, as_json(told))
    return {
        "kind": "clip",
        "name": _files(known.procedure).name,
        "files": _checksums(known.procedure),
    }


def clip_below(record: Record, desk: Desk, store: Store) -> CLIP:
    """Return the CLIP that the run of a record rests on.

    Raises:
        UserError: it was a published one, which is not where it was and not in the cache either, or is another one now.
    """
    from gradlab.clip import CLIP
    from gradlab.lab.designing.procedure import read_procedure
    from gradlab.procedures.registry import PROCEDURES

    told, below = record.facts["source"], record.spec["inputs"]["net"]
    if told is None:
        told = {"kind": "record", "record": below}
    source = _found(told, record, store) if "files" in told else read_procedure(told, PROCEDURES)
    network = PROCEDURES[source.kind].network
    assert network is not None  # else it could not have been trained or asked
    found = network(source, desk, store)
    assert isinstance(found, CLIP)  # as `need_clip` saw to
    return found


def _found(told: Mapping[str, Any], record: Record, store: Store) -> PretrainedCLIP:
    """Find a published CLIP where a run on this machine found it, else by its name."""
    from gradlab.lab.designing.procedure import read_procedure
    from gradlab.lab.records.record import read_json
    from gradlab.procedures.registry import PROCEDURES

    note = _note(store, record.spec["inputs"]["net"])
    candidates: list[Any] = []
    if note.is_file():
        candidates.append(read_procedure(read_json(note), PROCEDURES))
    with contextlib.suppress(UserError):
        candidates.append(clip_source(told["name"]))
    for one in candidates:
        if _checksums(one) == told["files"]:
            return one  # type: ignore[no-any-return]
    raise UserError(
        f"record {record.hash} rests on the CLIP '{told['name']}', whose files are not here; run its study again with --model "
        "and the place where they lie now."
    )


def _note(store: Store, name: str) -> Path:
    return store.own.parent / "sources" / f"{name}.json"


def _files(source: PretrainedCLIP) -> EncoderFiles:
    return EncoderFiles(
        Path(source.config), tuple(map(Path, source.weights)), tuple(map(Path, source.tokenizer))
    )


def _checksums(source: PretrainedCLIP) -> dict[str, str]:
    """Return name of a file -> its SHA-256, "" where it is not there."""
    from gradlab.lab.records.record import checksum

    every = (source.config, *source.weights, *source.tokenizer, source.preprocessing)
    return {Path(one).name: checksum(Path(one)) for one in every}


def _network(source: PretrainedCLIP, _desk: Desk, _store: Store) -> CLIP:
    from gradlab.clip import load_clip

    return load_clip(_files(source))


CLIP_SOURCE = Kind(
    name="clip",
    title="a published CLIP",
    configuration=PretrainedCLIP,
    network=_network,
    draws=False,
    software=SOFTWARE,
)
