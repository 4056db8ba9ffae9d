"""Checkpoints: safetensors files with a digest over all their bytes, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from gradlab._files import write_whole
from gradlab.training.frozen import bytes_of
from gradlab.types import UserError

MARK = "gradlab checkpoint 2"
DIGEST, DIGEST_BYTES = "digest", 32
"""The last tensor of the file: SHA-256 over every byte before it."""
LARGEST_HEADER = 100_000_000
DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
NAMED = {name: dtype for dtype, name in DTYPES.items()}


class DamagedCheckpointError(UserError):
    """A file that is not whole."""


class Checkpoint:
    """A checkpoint on the disk whose digest is right; tensors are read one by one, when they are asked for.

    Attributes:
        facts: what was written beside the tensors.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], start: int) -> None:
        self.facts: dict[str, Any] = json.loads(header["__metadata__"]["facts"])
        self._path, self._start = path, start
        self._entries = {
            name: entry for name, entry in header.items() if name not in ("__metadata__", DIGEST)
        }

    @property
    def names(self) -> list[str]:
        """Names of the tensors."""
        return list(self._entries)

    def read(self, name: str, device: torch.device) -> Tensor:
        """Read one tensor."""
        entry = self._entries[name]
        tensor = torch.empty(entry["shape"], dtype=NAMED[entry["dtype"]])
        if not tensor.numel():
            return tensor.to(device)
        with self._path.open("rb") as stream:
            stream.seek(self._start + entry["data_offsets"][0])
            stream.readinto(bytes_of(tensor))
        return tensor.to(device)


def write_checkpoint(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors and JSON-able facts to one file, tensor by tensor, whole or not at all.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda place: _write(place, tensors, facts))


def read_checkpoint(path: Path) -> Checkpoint:
    """Open what `write_checkpoint` wrote.

    Raises:
        DamagedCheckpointError: the file is not whole.
        UserError: it is a whole file of another kind, or a folder.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; give the checkpoint the name of a file.")
    try:
        header, start = _header(path)
        if header.get("__metadata__", {}).get("format") != MARK and DIGEST not in header:
            raise UserError(
                f"{path} is not a checkpoint of this version of gradlab; delete it or give another path."
            )
        if not _is_whole(path):
            raise DamagedCheckpointError(
                f"{path} is damaged (its bytes have changed); delete it to start afresh."
            )
        return Checkpoint(path, header, start)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise DamagedCheckpointError(
            f"{path} is not a gradlab checkpoint or is damaged ({error}); delete it to start afresh."
        ) from error


def is_marked(path: Path) -> bool:
    """Whether a file, be it damaged, was written as a checkpoint, as its beginning says."""
    with path.open("rb") as stream:
        return MARK.encode() in stream.read(4096)


def _write(place: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    ordered = sorted(tensors.items(), key=lambda item: -item[1].element_size())  # aligned, as readers like it
    header: dict[str, Any] = {"__metadata__": {"format": MARK, "facts": json.dumps(facts)}}
    end = 0
    for name, tensor in ordered:
        size = tensor.numel() * tensor.element_size()
        entry = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape)}
        header[name] = entry | {"data_offsets": [end, end + size]}
        end += size
    header[DIGEST] = {"dtype": "U8", "shape": [DIGEST_BYTES], "data_offsets": [end, end + DIGEST_BYTES]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with place.open("wb") as stream:
        for part in (len(text).to_bytes(8, "little"), text):
            digest.update(part)
            stream.write(part)
        for _, tensor in ordered:
            raw = bytes_of(tensor)
            digest.update(raw)
            stream.write(raw)
        stream.write(digest.digest())


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """Read the header, and where the tensors start."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, os.path.getsize(path)):
            raise ValueError("its header is cut")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is none")
    return header, 8 + length


def _is_whole(path: Path) -> bool:
    """Whether the digest at the end of the file is that of all before it."""
    rest, digest = os.path.getsize(path) - DIGEST_BYTES, hashlib.sha256()
    with path.open("rb") as stream:
        for part in _parts(stream, rest):
            digest.update(part)
        return stream.read() == digest.digest()


def _parts(stream: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        part = stream.read(min(length, 2**20))
        if not part:
            return
        length -= len(part)
        yield part
