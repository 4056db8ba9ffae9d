"""Fifty processes write at once and half are killed: nothing is lost or half-written, and what the dead left is told as such."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gradlab.lab.records.index import rows_of_records
from gradlab.lab.records.prune import HALF, HALF_WRITTEN, find_leftovers, prune
from gradlab.lab.records.record import Record
from tests.lab.records.writers import KILLED, PROCESSES, RECORDS, values
from tests.pages import ROOT


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the writers")
@pytest.mark.parametrize("seed", range(2))
def test_fifty_writers_of_which_half_are_killed_lose_nothing(tmp_path, seed):
    command = [sys.executable, "-m", "tests.lab.records.writers", str(tmp_path), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["half visible"] == []  # looked at after every kill
    killed = seen["codes"].count(-9)
    assert sorted(set(seen["codes"])) == [-9, 0]
    assert KILLED // 2 < killed <= KILLED  # some had ended before

    told = {name for path in tmp_path.glob("*.told") for name in path.read_text().split()}
    found = dict(rows_of_records(tmp_path, lambda record: dict(record.facts), {}))
    assert told == set(found)  # each that a writer was told of stands, also a killed one's
    assert len(found) == RECORDS
    for name, facts in found.items():
        record = Record(tmp_path / "records" / name)
        assert record.damaged() == []
        assert record.made["by"] in range(PROCESSES)
        np.testing.assert_array_equal(record.table("t")["x"], values(facts["number"]))

    dead = {path.name for path in (tmp_path / "records").iterdir()} - set(found)
    assert dead  # a kill in the middle of a record leaves its half
    assert all(HALF_WRITTEN.fullmatch(name) for name in dead)
    assert {one.path.name for one in find_leftovers(tmp_path).leftovers if one.why == HALF} == dead
    prune(tmp_path)
    assert not any(name in dead for name in os.listdir(tmp_path / "records"))
