"""What the environment says about the processes of one training."""

import pytest

from gradlab.training import torchrun

TOLD = {
    "RANK": "1",
    "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (4, True, False, 2)),
        ({"RANK": "0"}, (4, True, True, 2)),
        ({"WORLD_SIZE": "1"}, (1, False, True, 1)),
        ({"MASTER_PORT": None}, (1, False, True, 1)),  # some queues set a part of them
        ({"WORLD_SIZE": "many"}, (1, False, True, 1)),
    ],
)
def test_the_environment_is_read(monkeypatch, change, expected):
    for name, value in (TOLD | change).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    found = (
        torchrun.process_count(), torchrun.is_one_of_several(), torchrun.is_first(), torchrun.processes_here()
    )  # fmt: skip
    assert found == expected
