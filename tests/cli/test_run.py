import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradlab.lab.running.ready import device_kind
from gradlab.studies import STUDIES
from tests.cli.conftest import NAME, OPTIONS
from tests.data import make


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_what_has_run_is_printed_without_running_again(ask, out):
    before = stamps(out / "records")
    answer = ask("run", "residual-mlp", *OPTIONS, "--out", out)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[1].startswith("Do residual connections let deep MLPs train?")
    assert "digits, preset quick, setting 003 (other setting than published), 2 seeds, look 1" in answer.out
    for claim in ("C003-01", "C003-02", "C003-03"):
        assert claim in answer.out
    assert lines[-1] == f"Report: {out}/reports/{NAME}/report.html"
    assert stamps(out / "records") == before
    assert answer.err == ""


def test_json_prints_the_results_alone(ask, out):
    answer = ask("run", "residual-mlp", *OPTIONS, "--out", out, "--json")
    file = out / "reports" / NAME / "results.json"
    assert answer.code == 0
    assert json.loads(answer.out) == json.loads(file.read_text())
    assert answer.out == file.read_text()
    assert {
        "study",
        "question",
        "preset",
        "data",
        "setting",
        "seeds",
        "claims",
        "tables",
        "provenance",
        "cost",
    } <= set(json.loads(answer.out))
    claim = json.loads(answer.out)["claims"][0]
    wanted = "id statement measure delta level look estimate interval n verdict same_setting published"
    assert set(wanted.split()) <= set(claim)


def test_asking_again_leaves_the_report_as_it_is(ask, out):
    ask("run", "residual-mlp", *OPTIONS, "--out", out)
    before = stamps(out / "reports")
    assert before
    ask("run", "residual-mlp", *OPTIONS, "--out", out, "--json")
    assert stamps(out / "reports") == before


def test_the_command_in_the_report_can_be_typed_and_names_no_place(ask, out):
    results = json.loads(ask("run", "residual-mlp", *OPTIONS, "--out", out, "--json").out)
    command = results["provenance"]["command"]
    assert command == (
        "gradlab run residual-mlp --preset quick --data digits --seeds 2 --depths 2 --width 4 --epochs 1"
    )
    assert (
        ask(*command.split()[1:], "--out", out, "--json").out
        == json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    )


BAD = {
    "unknown study": (["resdual-mlp"], "unknown study 'resdual-mlp'; did you mean 'residual-mlp'?"),
    "far study": (["xyz"], "unknown study 'xyz'; known are activations, adversarial-training, "),
    "unknown data": (
        ["residual-mlp", "--data", "digts"],
        "No data set is called 'digts'; did you mean 'digits', or pass the path of a folder of class folders or of a "
        "Parquet file.",
    ),
    "unknown preset": (
        ["residual-mlp", "--preset", "quik"],
        "--preset cannot be 'quik'; did you mean 'quick'?",
    ),
    "unknown parameter": (
        ["residual-mlp", "--depth", "3"],
        "unknown option '--depth'; did you mean '--depths'?",
    ),
    "negative depth": (["residual-mlp", "--depths", "-3"], "depths"),
    "no seeds": (
        ["residual-mlp", "--seeds", "0"],
        "seeds counts repetitions and must be at least 1, got 0; 6 is the default.",
    ),
    "seeds in words": (
        ["residual-mlp", "--seeds", "six"],
        "--seeds cannot be 'six'; expected a whole number.",
    ),
    "no value": (["residual-mlp", "--seeds"], "seeds"),
    "negative first seed": (["residual-mlp", "--first-seed", "-1"], "first"),
    "missing folder": (
        ["residual-mlp", "--data", "./nowhere"],
        "There is no folder or Parquet file nowhere; check the path.",
    ),
    "missing data dir": (
        ["residual-mlp", "--data-dir", "nowhere", "--data", "mnist"],
        "data_dir must name an existing folder",
    ),
    "fp16": (
        ["residual-mlp", "--precision", "fp16", "--device", "cpu"],
        "fp16 on a CPU is unusably slow; use --precision bf16 or fp32, or a GPU.",
    ),
    "unknown precision": (
        ["residual-mlp", "--precision", "fp8"],
        "--precision cannot be 'fp8'; known are bf16, fp16, fp32, fp64.",
    ),
    "unknown device": (["residual-mlp", "--device", "tpu"], "unknown device 'tpu'; did you mean 'cpu'?"),
    "unknown tracker": (["residual-mlp", "--tracker", "wandbb"], "wandb"),
    "setting": (["residual-mlp", "--setting", "005"], "--setting cannot be '005'; did you mean"),
    "zero rate": (["residual-mlp", "--learning-rate", "0"], "learning"),
    "no batch": (["residual-mlp", "--batch-size", "0"], "batch"),
    "widths": (["compare", "--widths", "8"], "compare needs at least two networks"),
    "extra word": (["residual-mlp", "surplus"], "surplus"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_sentence_and_nothing_is_made(ask, tmp_path, case):
    arguments, text = BAD[case]
    assert text in ask("run", *arguments, "--out", tmp_path / "new").sentence
    assert not (tmp_path / "new" / "records").exists() or not any((tmp_path / "new" / "records").iterdir())


@pytest.mark.skipif(device_kind("auto") == "cuda", reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_one_sentence(ask, tmp_path):
    text = ask("run", "residual-mlp", "--device", "cuda", "--out", tmp_path / "new").sentence
    assert text == "this machine has no cuda device that PyTorch can use; run with --device cpu or auto."


def test_a_corrupt_parquet_file_is_one_sentence(ask, tmp_path):
    good = make.parquet(
        tmp_path / "train.parquet", make.images(np.random.default_rng(0), 40, 6, 6), [0, 1] * 20
    )
    content = bytearray(good.read_bytes())
    for bad in (b"", b"PAR1 this is not Parquet PAR1", bytes(content[: len(content) // 2])):
        good.write_bytes(bad)
        text = ask("run", "residual-mlp", "--data", good, "--out", tmp_path / "new").sentence
        assert "train.parquet" in text


def test_out_on_a_file_is_one_sentence(ask, tmp_path):
    (tmp_path / "file").write_text("mine")
    text = ask("run", "residual-mlp", *OPTIONS, "--out", tmp_path / "file").sentence
    assert text.startswith("--out needs a folder, but ")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_is_one_sentence_and_loses_nothing(ask, out, monkeypatch):
    before = stamps(out / "records")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        (out / "reports" / NAME / "manifest.json").unlink()
        answer = ask("run", "residual-mlp", *OPTIONS, "--out", out)
        assert "No space left on device" in answer.sentence or "the disk is full" in answer.sentence
    assert stamps(out / "records") == before
    assert ask("run", "residual-mlp", *OPTIONS, "--out", out).code == 0


def test_a_damaged_record_is_one_sentence(ask, out):
    results = json.loads((out / "reports" / NAME / "results.json").read_text())
    record = out / "records" / results["runs"][1]["record"]
    (record / "facts.json").write_text("{")
    again = ask("run", "residual-mlp", *OPTIONS, "--out", out).sentence
    assert f"{record.name}/facts.json is damaged; delete the folder" in again


def test_ctrl_c_says_that_nothing_is_lost(ask, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradlab.running.run", interrupted)
    answer = ask("run", "residual-mlp")
    assert (answer.code, answer.err) == (
        130,
        "gradlab: interrupted; finished runs are kept, ask again to go on.\n",
    )


AT_IMPORT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
class Key:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Key())
from gradlab.cli import main
sys.exit(main(["list"]))
"""


@pytest.mark.parametrize("module", ["gradlab.cli.app", "cyclopts", "pydantic", "gradlab.studies.registry"])
def test_ctrl_c_while_the_program_is_loading_is_one_sentence(module):
    done = subprocess.run([sys.executable, "-c", AT_IMPORT, module], capture_output=True, text=True)
    sentence = "gradlab: interrupted; finished runs are kept, ask again to go on.\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", sentence)


def test_names_with_brackets_are_printed_as_they_are(out, capsys):
    from rich.console import Console

    import gradlab
    from gradlab.cli._text import print_result

    results = json.loads((out / "reports" / NAME / "results.json").read_text())
    results["claims"][0]["statement"] = "net[/red] beats [bold]mlp"
    results["answer"] = "[0] is better"
    print_result(gradlab.Result(results, out / "reports" / "[x]"), Console(width=200))
    text = capsys.readouterr().out
    assert "net[/red] beats [bold]mlp" in text
    assert "[0] is better" in text
    assert "reports/[x]/report.html" in text


def test_a_claim_about_one_arm_prints_its_measure_and_below_it_what_was_asked(out, capsys):
    from rich.console import Console

    import gradlab
    from gradlab.cli._text import print_result

    results = json.loads((out / "reports" / NAME / "results.json").read_text())
    told = results["claims"][0]
    told |= {
        "statement": "a level",
        "estimate": 0.06,
        "interval": [0.04, 0.08],
        "delta": 0.01,
        "kind": "more",
    }
    told |= {"unit": "fraction", "parts": [told | {"label": "a", "unit": "fraction"}]}
    contrast = {"weights": {results["arms"][0]["name"]: 1.0}, "constant": -0.04, "log": False}
    results["design"]["claims"] = [{"id": told["id"], "parts": [{"label": "a", "contrast": contrast}]}]
    results["claims"] = [told]
    print_result(gradlab.Result(results, out), Console(width=200))
    wide = capsys.readouterr().out.splitlines()
    (row,) = [number for number, line in enumerate(wide) if "10.0 % [8.0, 12.0]" in line]
    assert wide[row].split()[-2:] == ["a", "level"]
    assert wide[row + 1].strip() == "asked: above 5 %"
    assert wide[row + 1].index("asked") == wide[row].index("10.0 %")
    print_result(gradlab.Result(results, out), Console(width=40))  # a claim a paragraph
    assert "10.0 % [8.0, 12.0], asked: above 5 % a level" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_a_real_process_trains_reports_and_tells_progress_on_stderr_alone(tmp_path):
    data = make.class_folders(
        tmp_path / "my pictures", __import__("numpy").random.default_rng(0), {"cat": 40, "dog": 40}
    )
    words = [
        "run",
        "compare",
        "--data",
        str(data),
        "--widths",
        "4",
        "3",
        "--epochs",
        "2",
        "--seeds",
        "2",
        "--json",
    ]
    command = [sys.executable, "-m", "gradlab.cli", *words]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout)
    assert results["data"] == "my pictures"
    assert [arm["name"] for arm in results["arms"]] == ["mlp-4", "mlp-3"]
    assert re.search(r"\[12/12\] .*: done", process.stderr)
    assert str(tmp_path) not in process.stdout
    assert list((tmp_path / "runs" / "reports").glob("compare-my-pictures-quick*/report.html"))
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "looks",
        "records",
        "reports",
        "work",
    ]


def test_a_mistake_of_a_real_process_has_no_traceback(tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", "gradlab.cli", "run", "residual-mlp", "--seeds", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    assert process.stdout == ""
    assert (
        process.stderr
        == "gradlab: seeds counts repetitions and must be at least 1, got 0; 6 is the default.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_bare_run_lists_the_studies_and_exits_with_2(ask):
    answer = ask("run")
    assert (answer.code, answer.err) == (2, "")
    assert answer.out.startswith("Which study? For example: gradlab run tour\n")
    assert [line.split()[0] for line in answer.out.splitlines()[2:]] == list(STUDIES)


def test_the_report_is_opened_when_asked(ask, out, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    ask("run", "residual-mlp", *OPTIONS, "--out", out)
    assert opened == []
    ask("run", "residual-mlp", *OPTIONS, "--out", out, "--open")
    assert opened == [(out / "reports" / NAME / "report.html").as_uri()]


def test_finished_runs_of_other_folders_count_and_the_result_is_whole_by_itself(
    ask, out, tmp_path, monkeypatch
):
    """One of the six records lies in a folder of records alone, the others in an --out folder."""
    monkeypatch.setattr("gradlab.lab.running.local.worker_process", lambda *_: pytest.fail("trained again"))
    some = sorted((out / "records").iterdir())[:3]
    (tmp_path / "more").mkdir()
    for folder in some:
        folder.rename(tmp_path / "more" / folder.name)
    before = stamps(out) | stamps(tmp_path / "more")
    new = tmp_path / "new"
    answer = ask(
        "run", "residual-mlp", *OPTIONS, "--out", new, "--records", out, "--records", tmp_path / "more"
    )
    assert answer.code == 0
    assert stamps(out) | stamps(tmp_path / "more") == before
    assert len(list((new / "records").iterdir())) == 6
    for folder in (out, tmp_path / "more"):
        shutil.rmtree(folder)
    assert ask("verify", new).code == 0


def test_a_damaged_record_of_another_folder_is_not_taken_over(ask, out, tmp_path):
    results = json.loads((out / "reports" / NAME / "results.json").read_text())
    name = results["runs"][0]["record"]
    weights = out / "records" / name / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    text = ask("run", "residual-mlp", *OPTIONS, "--out", tmp_path / "new", "--records", out).sentence
    assert f"{name} is damaged (weights.safetensors); leave --records without it" in text


def test_records_that_are_none_are_one_sentence(ask, tmp_path):
    text = ask("run", "residual-mlp", *OPTIONS, "--out", tmp_path / "new", "--records", "nowhere").sentence
    assert text == "records names folders with finished runs, and nowhere is none; give an --out folder."


@pytest.mark.parametrize("columns", ["40", "80"])
def test_claims_are_named_in_full_on_a_narrow_terminal(ask, out, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    text = ask("run", "residual-mlp", *OPTIONS, "--out", out).out
    for claim in ("C003-01", "C003-02", "C003-03"):
        assert claim in text
    assert "…" not in text
    assert "2 seeds, look" in text.replace("\n", " ")


def test_one_seed_is_one_seed(ask, out):
    text = ask("run", "residual-mlp", *OPTIONS[:-1], "1", "--out", out).out
    assert ", 1 seed, " in text


def test_what_would_move_the_cursor_is_written_out(out, capsys):
    from rich.console import Console

    import gradlab
    from gradlab.cli._text import print_result

    results = json.loads((out / "reports" / NAME / "results.json").read_text())
    results["claims"][0]["statement"] = "net\x1b[2J\x07 beats \x9b31m\u202emlp"
    results["data"] = "my\x1b]0;data"
    print_result(gradlab.Result(results, out / "reports" / "a\x1bb"), Console(width=300))
    text = capsys.readouterr().out
    assert "net\\x1b[2J\\x07 beats \\x9b31m\\u202emlp" in text
    assert "my\\x1b]0;data" in text
    assert "a\\x1bb/report.html" in text
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}


@pytest.mark.slow
@pytest.mark.parametrize("width", [46, 80])
def test_a_narrow_terminal_cuts_no_claim_and_one_seed_has_no_interval(ask, out, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    text = ask("run", "residual-mlp", *OPTIONS[:-1], "1", "--out", out).out
    lines = text.split("\n\n")[1].splitlines()
    assert max(map(len, lines)) <= width
    assert all(name in text for name in ("C003-01", "C003-02", "C003-03"))
    assert "points, no interval" in text
    assert "–" not in text
    assert not re.search(r"-\d+\.\d", text)  # one kind of minus sign
