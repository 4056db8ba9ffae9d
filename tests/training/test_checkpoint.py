"""Checkpoint files: written whole or not at all, damage answered with a sentence."""

import math
import os

import pytest
import torch
from safetensors.torch import load_file, save_file

from gradlab.training.checkpoint import DamagedCheckpointError, read_checkpoint, write_checkpoint

CPU = torch.device("cpu")
TENSORS = {
    "float": torch.tensor([1.5, math.nan, math.inf]),
    "double": torch.rand(2, 3, dtype=torch.float64).t(),
    "count": torch.tensor(7),
    "empty": torch.empty(0, 4),
}
FACTS = {"history": [{"loss": 0.1, "lost": math.nan}], "notes": [None, "größer"], "epoch": 3}


def test_what_is_written_is_read(tmp_path):
    file = tmp_path / "deep" / "run.safetensors"
    write_checkpoint(file, TENSORS, FACTS)
    found = read_checkpoint(file)
    tensors = {name: found.read(name, CPU) for name in found.names}
    facts = found.facts
    assert set(tensors) == set(TENSORS)
    assert all(torch.equal(load_file(file)[name], tensors[name]) for name in ("double", "count", "empty"))
    assert all(torch.equal(tensors[name].nan_to_num(-1), TENSORS[name].nan_to_num(-1)) for name in TENSORS)
    assert all(tensors[name].dtype == TENSORS[name].dtype for name in TENSORS)
    assert repr(facts) == repr(FACTS)


def damaged(file):
    return pytest.raises(
        DamagedCheckpointError,
        match=rf"{file.name} is (not a gradlab checkpoint or is )?damaged \(.*\); delete it",
    )


@pytest.mark.parametrize("cut", [0, 4, 30, -1])
def test_a_file_cut_short_is_refused(cut, tmp_path):
    file = tmp_path / "run.safetensors"
    write_checkpoint(file, TENSORS, FACTS)
    file.write_bytes(file.read_bytes()[:cut])
    with damaged(file):
        read_checkpoint(file)


def test_a_changed_byte_of_the_header_is_refused(tmp_path):
    file = tmp_path / "run.safetensors"
    write_checkpoint(file, TENSORS, FACTS)
    content = bytearray(file.read_bytes())
    content[8] ^= 0xFF
    file.write_bytes(content)
    with damaged(file):
        read_checkpoint(file)


def test_other_files_are_refused(tmp_path):
    file = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match="is not a checkpoint of this version of gradlab; delete it or give"):
        read_checkpoint(file)
    file.write_text("hello")
    with damaged(file):
        read_checkpoint(file)
    with pytest.raises(ValueError, match="is a folder"):
        read_checkpoint(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "run.safetensors"
    write_checkpoint(file, TENSORS, FACTS)
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(file, {"float": torch.zeros(9)}, FACTS)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
