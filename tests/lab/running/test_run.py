"""Asking for a design: what is run, what is there already, and what is refused."""

import dataclasses
import errno
import os
from pathlib import Path

import pytest

from gradlab.lab import Claim, load
from gradlab.lab.running.conditions import bind_design
from gradlab.lab.running.executing import current_commit
from gradlab.lab.running.locks import try_lock
from gradlab.lab.running.ready import device_kind
from gradlab.lab.running.run import claim_hash
from gradlab.types import UserError
from tests.lab import toy


def mtimes(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted((out / "records").rglob("*"))}


def run(out, seeds=(0, 1, 2), made=None, **more):
    return toy.run(made or toy.small_design(), toy.here(out, seeds), **more)


def test_asking_again_runs_nothing_and_gives_the_same_result(toys):
    first, before, events = run(toys), mtimes(toys), []
    assert run(toys, on_event=events.append) == first
    assert mtimes(toys) == before
    assert events == [{"event": "start", "units": [], "titles": {}, "runs": {}}]


def test_logs_of_killed_workers_go_also_where_nothing_is_left_to_do(toys):
    """That of a fault which somebody was told of stays until its unit is done, and one that another process still writes."""
    silent, warned, told, used = logs = [
        toys / "work" / f"{name}.log" for name in ("worker-1-a-0", "worker-1-b-0", "0a" * 10, "worker-1-d-0")
    ]
    for log in logs:
        log.write_text("" if log == silent else "the gradient is zero")
    with try_lock(used):
        run(toys)
    assert [log for log in logs if log.exists()] == [told, used]
    assert not warned.exists()


def test_more_seeds_of_a_block_run_only_what_has_none_and_count_as_another_look(toys, tmp_path):
    before = mtimes(toys)
    more = run(toys, range(6))
    assert mtimes(toys).items() >= before.items()
    whole = run(tmp_path / "fresh", range(6))
    assert (more["look"], whole["look"]) == (2, 1)
    assert more["tables"] == whole["tables"]
    assert more["figures"] == whole["figures"]
    for one, other in zip(more["claims"], whole["claims"], strict=True):
        assert one["estimate"] == other["estimate"]
        assert one["level"] > other["level"]


def test_fresh_seeds_have_runs_of_their_own_and_full_level(toys):
    fresh = run(toys, (6, 7, 8))
    assert (fresh["look"], fresh["seeds"]) == (1, [6, 7, 8])
    assert run(toys, (5, 6, 7))["look"] == 2  # it shares seeds with these


def test_two_studies_share_a_record_that_both_need(toys):
    before = mtimes(toys)
    renamed = tuple(dataclasses.replace(one, name=f"x{one.name}") for one in toy.small_design().arms[:2])
    run(toys, made=toy.design(renamed, study="other"))
    assert mtimes(toys) == before


def test_records_of_another_folder_are_read_and_not_made_again(toys, tmp_path):
    asked = toy.here(tmp_path / "own", records=(toys / "records",))
    result = toy.run(toy.small_design(), asked)
    assert list((tmp_path / "own" / "records").iterdir()) == []
    assert result["tables"] == run(toys)["tables"]


def test_a_record_that_lost_its_manifest_is_made_again(toys):
    gone = next((toys / "records").iterdir())
    (gone / "manifest.json").unlink()
    run(toys)
    assert load(gone).damaged() == []


def test_the_identity_of_a_claim_is_not_its_wording(tmp_path):
    base = toy.small_design()
    conditions = bind_design(base, toy.here(tmp_path), "cpu").conditions
    first = base.claims[0]

    def named(claim, made=base, known=conditions):
        return claim_hash(made, claim, known)

    assert named(dataclasses.replace(first, id="other", statement="in other words")) == named(first)
    swapped = Claim(id="T", statement="s", parts=(toy.part("low", "high"),))
    other_data = dataclasses.replace(conditions, checksums={"made": "sha256:0"})
    assert len({named(first), named(base.claims[1]), named(swapped), named(first, known=other_data)}) == 4


def test_devices():
    assert device_kind("cpu") == "cpu"
    assert device_kind("auto") in ("cpu", "cuda", "mps")
    with pytest.raises(UserError, match="unknown device 'tpu'"):
        device_kind("tpu")


def test_fp16_on_a_cpu_is_refused_before_anything_is_made(tmp_path):
    asked = dataclasses.replace(toy.here(tmp_path / "out"), precision="fp16")
    with pytest.raises(UserError, match="fp16 on a CPU is unusably slow; use --precision bf16 or fp32"):
        toy.run(toy.small_design(), asked)
    assert not (tmp_path / "out").exists()


def test_out_on_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=r"--out needs a folder, but .*file.*; give another path"):
            run(out)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_that_may_not_be_written_is_one_sentence(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UserError, match="cannot write to"):
        run(tmp_path / "locked")


@pytest.mark.parametrize("where", ["mkdir", "replace"])
def test_a_full_disk_is_one_sentence_and_loses_nothing(toys, monkeypatch, where):
    kept = mtimes(toys)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full) if where == "mkdir" else patch.setattr(os, "replace", full)
        with pytest.raises(UserError, match="the disk is full; free some space or choose another --out"):
            run(toys, range(4))
    assert mtimes(toys).items() >= kept.items()
    assert run(toys, range(4))["look"] == 2  # not yet seen, so not yet counted


def test_the_commit_is_that_of_this_source_tree():
    commit = current_commit()
    assert commit is None or len(commit.rstrip("+")) == 12
