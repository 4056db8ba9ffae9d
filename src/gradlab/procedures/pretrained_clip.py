"""A published CLIP that runs rest on: `PretrainedCLIP`, and what every run over a CLIP shares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import Procedure, WeightsName
from gradlab.lab.kinds import Kind
from gradlab.language.encoder_files import IMAGES, EncoderFiles
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from gradlab.clip import CLIP
    from gradlab.data import Dataset
    from gradlab.lab.records.record import Store
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
    """Return the source that a job rests on as data, from which its record builds its network; None over a record."""
    from gradlab.lab.designing.procedure import dump_procedure
    from gradlab.lab.running.desk import Source

    known = job.inputs["net"]
    return dump_procedure(known.procedure) if isinstance(known, Source) else None


def _network(source: PretrainedCLIP, _desk: Desk, _store: Store) -> CLIP:
    from gradlab.clip import load_clip

    files = EncoderFiles(
        Path(source.config), tuple(map(Path, source.weights)), tuple(map(Path, source.tokenizer))
    )
    return load_clip(files)


CLIP_SOURCE = Kind(
    name="clip",
    title="a published CLIP",
    configuration=PretrainedCLIP,
    network=_network,
    draws=False,
    software=SOFTWARE,
)
