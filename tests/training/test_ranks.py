"""Who a process is among several, which part of a batch is its, and which devices cannot be shared."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.training import ranks
from gradlab.training.ranks import ALONE, Ranks
from gradlab.types import UserError


@given(size=st.integers(1, 9), count=st.integers(1, 200))
def test_the_parts_are_the_batch_and_the_shares_its_weights(size, count):
    parts = [Ranks(rank, size).part(count) for rank in range(size)]
    samples = list(range(count))
    assert [one for part in parts for one in samples[part]] == samples
    lengths = [len(samples[part]) for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert [Ranks(rank, size).share(count) for rank in range(size)] == [length / count for length in lengths]


def test_one_process_talks_to_nobody():
    tensor = torch.ones(2)
    ALONE.sum_([tensor])
    assert tensor.tolist() == [1, 1]
    assert ALONE.sum(tensor) is tensor
    assert (ALONE.gather(3), ALONE.from_first(3), ALONE.part(7)) == ([3], 3, slice(0, 7))


def test_devices_that_processes_cannot_share_are_refused(monkeypatch):
    monkeypatch.setattr(ranks, "resolve_device", lambda name: torch.device("mps" if name == "auto" else name))
    assert ranks._own_device("auto") == torch.device("cpu")
    with pytest.raises(UserError, match="cannot train on mps"):
        ranks._own_device("mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert ranks._own_device("cuda") == torch.device("cuda", 1)
    assert ranks._own_device("cuda:0") == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UserError, match=r"2 GPU\(s\).*--nproc-per-node=2"):
        ranks._own_device("cuda")


def test_a_group_of_nccl_trains_on_no_cpu(monkeypatch):
    told = {"is_initialized": True, "get_rank": 0, "get_world_size": 2, "get_backend": "nccl"}
    for name, value in told.items():
        monkeypatch.setattr(torch.distributed, name, lambda value=value: value)
    with pytest.raises(UserError, match="NCCL, which knows no CPU"):
        ranks.find_ranks("cpu")
