"""What the lab is handed: the kinds of procedures, and what touches data and tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gradlab.lab.kinds import Kind
from gradlab.lab.running.desk import Toolbox
from gradlab.procedures.registry import PROCEDURES
from gradlab.types import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from gradlab.data import Dataset, TextDataset


def _load(name: str, folder: str | None, checksum: str | None) -> Dataset | TextDataset:
    from gradlab.data import load

    found: Dataset | TextDataset = load(name, folder, expect=checksum)
    return found


def _generator(seed: int, device: str) -> Generator:
    import torch

    return torch.Generator(device).manual_seed(seed)


def _pack(tensors: Mapping[str, Tensor]) -> bytes:
    from safetensors.torch import save

    return save({name: value.detach().cpu().contiguous() for name, value in tensors.items()})


def _unpack(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(path.read_bytes())
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged; delete it and ask again.") from error


def _threads(count: int) -> int:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    return before


TOOLBOX = Toolbox(
    kinds=PROCEDURES,
    worker="gradlab.procedures.worker",
    load=_load,
    generator=_generator,
    pack=_pack,
    unpack=_unpack,
    threads=_threads,
)


def toolbox_with(own: Sequence[Kind]) -> Toolbox:
    """Return the toolbox with kinds of a person's own, which live in this process and so are worked on in it.

    Raises:
        UserError: a name that is taken, or that the configuration does not have.
    """
    kinds = dict(TOOLBOX.kinds)
    for kind in own:
        if kind.name in (*kinds, "pick"):
            raise UserError(
                f"there is a kind of procedure called '{kind.name}' already; give yours another name."
            )
        if getattr(kind.configuration, "kind", None) != kind.name:
            raise UserError(
                f"the configuration of kind '{kind.name}' needs the field "
                f"kind: Literal[{kind.name!r}] = {kind.name!r}, by which records find it."
            )
        kinds[kind.name] = replace(kind, here=lambda _: True)
    return replace(TOOLBOX, kinds=kinds) if own else TOOLBOX
