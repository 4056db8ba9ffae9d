import dataclasses
import errno
import os
from pathlib import Path

import pytest
from gradlab.lab.run import (
    Request,
    arm_specs,
    current_commit,
    design_hash,
    device_kind,
    facts_of,
    missing_blocks,
    run_design,
)
from gradlab.lab.spec import block_of

from gradlab.data import info
from gradlab.models.mlp import MLP
from gradlab.types import UserError
from tests.lab.conftest import run_here
from tests.lab.fakes import arm, claim, design, part, small_design

LOOK_DEPENDENT = {
    "look",
    "level",
    "interval",
    "verdict",
    "explanation",
    "more_seeds",
    "sign_flip",
    "sign_flip_boundary",
}
LOOK_DEPENDENT |= {"seed_share", "agrees", "flags", "is_settled", "settled_by"}


def mtimes(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted((out / "records").rglob("*"))}


def request(out: Path, digits, seeds=(0, 1, 2), **more) -> Request:
    return Request(preset="quick", data="digits", dataset=digits, seeds=seeds, out=out, device="cpu", **more)


def test_asking_again_trains_nothing_and_gives_the_same_result(out, digits):
    first = run_here(out, digits)
    before = mtimes(out)
    events = []
    asked = request(out, digits)
    again = run_design(small_design(), asked, facts_of(asked), on_event=events.append)
    assert again == first
    assert mtimes(out) == before
    assert events == [{"event": "start", "blocks": []}]


def test_three_seeds_then_six_are_six_at_once_but_for_the_look(out, tmp_path, digits):
    before = mtimes(out)
    more = run_here(out, digits, seeds=(0, 1, 2, 3, 4, 5))
    assert mtimes(out) == before  # the block of six was trained whole
    whole = run_here(tmp_path / "fresh", digits, seeds=(0, 1, 2, 3, 4, 5))
    assert (more["look"], whole["look"]) == (2, 1)
    assert more["tables"] == whole["tables"]
    assert more["figures"] == whole["figures"]
    for one, other in zip(more["claims"], whole["claims"], strict=True):
        assert one["level"] > other["level"]
        assert _without_look(one) == _without_look(other)


def _without_look(claimed):
    if isinstance(claimed, dict):
        return {key: _without_look(value) for key, value in claimed.items() if key not in LOOK_DEPENDENT}
    return [_without_look(one) for one in claimed] if isinstance(claimed, list) else claimed


def test_fresh_seeds_have_runs_of_their_own_and_full_level(out, digits):
    count = len(list((out / "records").iterdir()))
    fresh = run_here(out, digits, seeds=(6, 7, 8))
    assert fresh["look"] == 1
    assert fresh["seeds"] == [6, 7, 8]
    assert len(list((out / "records").iterdir())) == 2 * count
    assert run_here(out, digits, seeds=(5, 6, 7))["look"] == 2  # it shares seeds with these


def test_a_records_bits_do_not_depend_on_what_else_was_asked_for(finished, tmp_path, digits):
    arms = small_design().arms
    alone = design((arms[1],))
    asked = request(tmp_path, digits, seeds=(2,))
    run_design(alone, asked, facts_of(asked))
    for folder in (tmp_path / "records").iterdir():
        for name in ("predictions.parquet", "epochs.parquet", "gradients.parquet", "weights.safetensors"):
            assert (folder / name).read_bytes() == (finished / "records" / folder.name / name).read_bytes()


def test_two_studies_share_a_network_that_both_need(out, digits):
    before = mtimes(out)
    arms = small_design().arms
    other = design(tuple(dataclasses.replace(one, name=f"x{one.name}") for one in arms[:2]), study="other")
    asked = request(out, digits)
    run_design(other, asked, facts_of(asked))
    assert mtimes(out) == before


def test_whole_blocks_are_trained_whatever_seeds_are_asked_for(tmp_path, digits):
    facts = info("digits")
    one = arm("a")
    for seeds in ((0,), (4, 5, 6), (7,)):
        found = arm_specs(one, request(tmp_path, digits, seeds), facts, "cpu")
        assert sorted(found) == sorted({mate for seed in seeds for mate in block_of(seed)})
    alone = arm_specs(one, request(tmp_path, digits, (4, 5), precision="fp16"), facts, "cuda")
    assert sorted(alone) == [4, 5]
    assert {spec.block for spec in alone.values()} == {1}


def test_a_block_with_one_record_less_is_run_again(out, digits):
    asked, whole = request(out, digits), small_design()
    facts = facts_of(asked)
    specs = {one.name: arm_specs(one, asked, facts, "cpu") for one in whole.arms}
    assert missing_blocks(whole.arms, specs, asked, facts) == []
    gone = specs["skip-2"][5]
    (out / "records" / gone.hash / "files.json").unlink()
    (block,) = missing_blocks(whole.arms, specs, asked, facts)
    assert block.arm == "skip-2"
    assert block.specs[5] == gone
    result = run_here(out, digits)
    assert (out / "records" / gone.hash / "files.json").exists()
    assert [run["status"] for run in result["runs"]] == ["finished"] * 12


def test_the_identity_of_a_comparison_is_not_its_wording():
    facts = info("digits")
    base = small_design()
    worded = dataclasses.replace(
        base,
        question="What else?",
        claims=tuple(dataclasses.replace(one, statement="in other words") for one in base.claims),
    )
    assert design_hash(base, facts) == design_hash(worded, facts)
    other = [
        dataclasses.replace(base, claims=base.claims[:1]),
        dataclasses.replace(
            base, claims=(claim("T-1", part("skip-2", "plain-2", delta=0.02)), base.claims[1])
        ),
        dataclasses.replace(base, arms=(*base.arms[:3], arm("skip-2", MLP(width=5)))),
    ]
    hashes = {design_hash(one, facts) for one in [base, *other]}
    hashes.add(design_hash(base, dataclasses.replace(facts, checksum="sha256:0")))
    assert len(hashes) == 5


def test_facts_of_data_in_memory_are_those_of_its_name(tmp_path, digits):
    named = facts_of(Request(preset="quick", data="digits", seeds=(0,), out=tmp_path))
    held = facts_of(request(tmp_path, digits))
    for name in ("name", "checksum", "counts", "input_shape", "class_names", "mean", "std"):
        assert getattr(named, name) == getattr(held, name)


def test_devices():
    assert device_kind("cpu") == "cpu"
    assert device_kind("auto") in ("cpu", "cuda", "mps")
    with pytest.raises(UserError, match="unknown device 'tpu'"):
        device_kind("tpu")


@pytest.mark.skipif(device_kind("auto") == "cuda", reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_one_sentence(tmp_path, digits):
    asked = dataclasses.replace(request(tmp_path, digits), device="cuda")
    with pytest.raises(UserError, match="this machine has no cuda device that PyTorch can use"):
        run_design(small_design(), asked, facts_of(asked))
    assert not (tmp_path / "records").exists()


def test_fp16_on_a_cpu_is_refused_before_anything_is_made(tmp_path, digits):
    asked = request(tmp_path / "out", digits, precision="fp16")
    with pytest.raises(UserError, match="fp16 on a CPU is unusably slow; use --precision bf16 or fp32"):
        run_design(small_design(), asked, facts_of(asked))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("precision", ["bf16", "fp64"])
def test_other_number_formats_are_recorded_and_make_records_of_their_own(tmp_path, digits, precision):
    made = design(small_design().arms[:1])
    asked = request(tmp_path, digits, (0,), precision=precision)
    result = run_design(made, asked, facts_of(asked))
    assert result["provenance"]["precision"] == precision
    run_design(made, request(tmp_path, digits, (0,)), facts_of(asked))
    assert len(list((tmp_path / "records").iterdir())) == 12


def test_out_on_a_file_is_one_sentence(tmp_path, digits):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=r"--out needs a folder, but .*file.*; give another path"):
            run_here(out, digits)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_out_that_may_not_be_written_is_one_sentence(tmp_path, digits):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UserError, match="cannot write to"):
        run_here(tmp_path / "locked", digits)


@pytest.mark.parametrize("where", ["mkdir", "replace"])
def test_a_full_disk_is_one_sentence_and_loses_nothing(out, digits, monkeypatch, where):
    kept = mtimes(out)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full) if where == "mkdir" else patch.setattr(os, "replace", full)
        with pytest.raises(UserError, match="the disk is full; free some space or choose another --out"):
            run_here(out, digits, seeds=(0, 1, 2, 3))
    assert mtimes(out) == kept
    assert run_here(out, digits, seeds=(0, 1, 2, 3))["look"] == 2  # not yet seen, so not yet counted


def test_a_damaged_record_is_one_sentence_that_names_the_file(out, digits):
    folder = next((out / "records").iterdir())
    (folder / "predictions.parquet").write_bytes(b"nonsense")
    with pytest.raises(
        UserError, match=rf"{folder.name} is damaged \(predictions\.parquet\); delete its folder"
    ):
        run_here(out, digits, seeds=(0, 1, 2, 3, 4, 5))


def test_the_commit_is_that_of_this_source_tree():
    commit = current_commit()
    assert commit is None or len(commit.rstrip("+")) == 12
