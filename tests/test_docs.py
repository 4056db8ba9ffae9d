"""The documentation is executed, complete, linked and fresh."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradlab.attacks import ATTACKS, OBJECTIVES
from gradlab.augmentation import AUGMENTATION_SETS, AUGMENTATIONS
from gradlab.cli.app import app
from gradlab.data import DATASETS
from gradlab.detection import DETECTORS
from gradlab.explain import EXPLAINERS
from gradlab.lab.kinds import measures_of
from gradlab.lab.records.record import Record
from gradlab.lab.running.trackers import TRACKERS
from gradlab.metrics import METRICS
from gradlab.models import MODELS, NETS
from gradlab.preparing import prepare
from gradlab.procedures import PROCEDURES
from gradlab.report.levels import as_read
from gradlab.running import run
from gradlab.studies import STUDIES
from gradlab.studies.setup import PRESETS, parameters_of
from gradlab.training import RECIPES
from gradlab.transfer import HEADS, POLICIES, VIEWS
from tests.pages import (
    ROOT,
    Block,
    all_pages,
    anchors,
    blocks_of,
    commands,
    expected_output,
    links,
    page_id,
    pattern,
    split,
)

PAGES = all_pages()
README = ROOT / "README.md"


def is_run(block: Block) -> bool:
    return block.language == "python" or (block.language == "console" and "slow" not in block.words)


EXECUTED = [page for page in PAGES if any(is_run(block) for block in blocks_of(page))]


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, without real data, cache or colours."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GRADLAB_DATA", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    settings = {
        "GRADLAB_CACHE": str(tmp_path / "cache"),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("gradlab.lab.running.local.usable_cores", lambda: 1)  # the tests share out the cores
    return folder


@pytest.fixture
def kept_registries() -> Iterator[None]:
    """What a page adds to the registries is gone after it."""
    measures: list[dict[str, Any]] = [kind.measures for kind in PROCEDURES.values()]  # type: ignore[misc]
    registries = (STUDIES, DATASETS, PROCEDURES, METRICS, TRACKERS, MODELS, *measures)
    kept = [(registry, dict(registry)) for registry in registries]
    yield
    for registry, before in kept:
        registry.clear()
        registry.update(before)


LONG = {
    "docs/adding.md",
    "docs/compare.md",
    "docs/detection.md",
    "docs/train.md",
    "docs/own_data.md",
    "docs/procedures.md",
    "docs/use.md",
    "docs/records.md",
    "docs/attacks.md",
    "docs/adversarial_training.md",
    "docs/certificate.md",
    "docs/clip.md",
    "docs/recipes.md",
    "docs/track.md",
    "docs/start.md",
}
"""Pages that train for long, each five seconds or more."""


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page_id(page) in LONG else []) for page in EXECUTED],
    ids=page_id,
)
@pytest.mark.usefixtures("empty_folder", "kept_registries")
def test_page_does_what_it_says(page: Path) -> None:
    namespace = {"__name__": "page"}
    for block in filter(is_run, blocks_of(page)):
        if block.language == "python":
            run_python(page, block, namespace)
        else:
            run_console(page, block)


def run_python(page: Path, block: Block, namespace: dict[str, object]) -> None:
    source = "\n" * (block.line - 1) + block.text  # so that a traceback names the page's line
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, str(page), "exec", dont_inherit=True), namespace)
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    assert lines == expected_output(block.text), f"{page_id(page)}, line {block.line}"


def run_console(page: Path, block: Block) -> None:
    for command, expected in commands(block):
        words = shlex.split(command)
        assert words[0] == "gradlab", (
            f"{page_id(page)}, line {block.line}: only gradlab is run, not {words[0]}"
        )
        done = python("-m", "gradlab.cli", *words[1:])
        output = done.stdout if done.returncode == 0 else done.stdout + done.stderr
        actual = "".join(line.rstrip() + "\n" for line in output.strip("\n").splitlines())
        assert pattern("\n".join(expected).strip("\n").splitlines()).fullmatch(actual), (
            f"{page_id(page)}: {command} printed\n{actual}"
        )


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, encoding="utf-8", env=os.environ, check=False
    )


def test_pages_are_executed() -> None:
    assert len(PAGES) >= 28
    assert len(EXECUTED) >= 22
    assert sum(is_run(block) for page in EXECUTED for block in blocks_of(page)) >= 170


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_shown_commands_exist_with_their_options(page: Path) -> None:
    for block in blocks_of(page):
        if block.language in ("python", "text"):
            continue
        for line in block.text.splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("gradlab ") and not is_run(block):
                app.parse_args(shlex.split(command)[1:], print_error=False, exit_on_error=False)


def test_shown_make_targets_exist() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    shown = {
        name
        for page in PAGES
        for name in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert {"demo", "test", "check", "docs"} <= shown <= targets


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    outside = split(page.read_text(encoding="utf-8"))[1]
    for link in links(outside):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page_id(page)} links to {link}"
        if anchor:
            assert anchor in anchors(split(target.read_text(encoding="utf-8"))[1]), link


def test_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {link.partition("#")[0] for link in links(split(index.read_text(encoding="utf-8"))[1])}
    names = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert names <= listed, names - listed
    assert len(names) >= 24


def names_in(page: Path) -> str:
    """Return what a page sets as code in its text, and what its blocks print."""
    blocks, outside = split(page.read_text(encoding="utf-8"))
    printed = [line for block in blocks for line in expected_output(block.text)]
    return "\n".join(re.findall(r"`([^`\n]+)`", outside) + printed)


DOCUMENTED = "\n".join(names_in(page) for page in PAGES if page.name != "cli.md").replace("--", "")
PARAMETERS = [name for study in STUDIES.values() for name in parameters_of(study)]
NUMBERS = {4: "four", 11: "eleven", 14: "fourteen", 15: "fifteen"}
VERBS = [name for name in app if not name.startswith("-")]


@pytest.mark.parametrize(
    ("names", "at_least"),
    [
        pytest.param(VERBS, 7, id="verbs"),
        pytest.param(STUDIES, 1, id="studies"),
        pytest.param(PARAMETERS, 7, id="parameters"),
        pytest.param(PRESETS, 3, id="presets"),
        pytest.param(MODELS, 3, id="models"),
        pytest.param(NETS, 30, id="networks"),
        pytest.param(RECIPES, 4, id="recipes"),
        pytest.param(ATTACKS, 14, id="attacks"),
        pytest.param(OBJECTIVES, 4, id="adversarial trainings"),
        pytest.param(DETECTORS, 15, id="detectors"),
        pytest.param(EXPLAINERS, 11, id="explainers"),
        pytest.param(HEADS, 6, id="heads"),
        pytest.param(POLICIES, 6, id="policies"),
        pytest.param(VIEWS, 2, id="views"),
        pytest.param(AUGMENTATIONS, 13, id="augmentations"),
        pytest.param(AUGMENTATION_SETS, 2, id="augmentation sets"),
        pytest.param(PROCEDURES, 7, id="procedures"),
        pytest.param(measures_of(PROCEDURES), 20, id="measures"),
        pytest.param(METRICS, 11, id="metrics"),
        pytest.param(DATASETS, 7, id="data"),
        pytest.param(TRACKERS, 2, id="trackers"),
    ],
)
def test_all_that_ships_is_documented(names: list[str], at_least: int) -> None:
    words = [name.replace("_", "-") if name in PARAMETERS else name for name in names]
    missing = [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", DOCUMENTED)]
    assert len(list(names)) >= at_least
    assert not missing


def test_command_line_page_is_fresh() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    rendered = python(str(ROOT / "docs" / "make_cli.py"), "-").stdout
    assert written == rendered, "docs/cli.md is stale: run make docs"


def test_page_of_results_is_fresh() -> None:
    written = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    rendered = python(str(ROOT / "docs" / "make_results.py"), "-").stdout
    assert written == rendered, "docs/results.md is stale: run make docs"
    assert len(list((ROOT / "results").glob("*/results.json"))) == written.count("\n## ") >= 8


def test_readme_shows_a_first_result_inside_40_lines(tmp_path: Path) -> None:
    first = next(
        block for block in blocks_of(README) if block.language == "console" and "slow" in block.words
    )
    ((command, output),) = commands(first)
    assert first.line + len(first.text.splitlines()) <= 40
    study = shlex.split(command)[2]
    design, request, facts = prepare(
        study, preset="quick", data="digits", data_dir=None, seeds=6, first_seed=0, device="cpu",
        precision="fp32", out=tmp_path, parameters={}, command=None,
    )  # fmt: skip
    text = "\n".join(output)
    for part in (
        design.question,
        f"{facts.name}, preset quick",
        f"{len(request.seeds)} seeds",
    ):
        assert part in text
    for claim in design.claims:
        assert f"\n{claim.id} " in text
    assert f"Report: runs/reports/{study}-digits-quick/report.html" in text


def test_numbers_of_the_readme_about_results_stand_in_the_answers() -> None:
    found = README.read_text(encoding="utf-8").split("## What the studies have found\n")[1]
    items = found.split("\n## ")[0].split("\n- ")[1:]
    checked = 0
    for item in items:
        links = re.findall(r"\((results/[^)]+)/report\.md\)", item)
        answers = [json.loads((ROOT / link / "results.json").read_bytes())["answer"] for link in links]
        assert answers
        for number in re.findall(r"[\d.,]+ %", item):
            assert any(number in answer for answer in answers), number
            checked += 1
    assert checked >= 1


def test_the_readme_counts_what_the_registries_hold() -> None:
    said = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(README.read_text(encoding="utf-8").split()))
    for words, shipped in (
        ("Attacks: {}, from FGSM", ATTACKS),
        ("by {} losses", OBJECTIVES),
        ("foreign images: {} scores", DETECTORS),
        ("Explanations: {} methods", EXPLAINERS),
    ):
        assert words.format(NUMBERS[len(shipped)]) in said


def test_the_page_of_trained_networks_says_what_their_records_hold() -> None:
    """Their number and accuracies, recomputed from the predictions; every file is undamaged."""
    said = (ROOT / "networks" / "README.md").read_text(encoding="utf-8")
    records = [Record(one) for one in sorted((ROOT / "networks/cifar10/records").iterdir())]
    found: dict[int, list[float]] = {}
    for record in records:
        assert record.damaged() == []
        table = record.table("predictions")
        accuracy = float((table["prediction"] == table["label"]).mean())
        found.setdefault(record.facts["epochs"], []).append(accuracy)
    assert len(records) == 12
    assert "Twelve networks" in said
    for values in found.values():
        assert f"{100 * min(values):.1f} to {100 * max(values):.1f} %" in said


@pytest.mark.slow
def test_the_first_result_of_the_readme_is_what_the_tour_finds(tmp_path: Path) -> None:
    """Verdicts, and estimates inside the new intervals: the last bits of training differ among machines."""
    rows = re.findall(
        r"^([\w-]+) +[^\w\s] (supported|refuted|open) +([+−-][\d.]+ (?=points)|[\d.]+ (?=%))",
        README.read_text("utf-8"),
        re.M,
    )
    claims = {claim["id"]: claim for claim in as_read(run("tour", out=tmp_path, progress=False).results)}
    assert [name for name, _, _ in rows] == list(claims)
    for name, verdict, estimate in rows:
        low, high = claims[name]["interval"]
        assert claims[name]["verdict"] == verdict
        assert low <= float(estimate.replace("−", "-")) / 100 <= high


def test_a_procedure_takes_one_file_of_at_most_80_lines() -> None:
    files = [block for block in blocks_of(ROOT / "docs" / "adding.md") if "file" in block.words]
    assert len(files) == 1
    assert len(files[0].text.splitlines()) <= 80
    assert "Kind(" in files[0].text


def test_page_of_procedures_lists_every_kind_with_its_configuration() -> None:
    page = (ROOT / "docs" / "procedures.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+?) \|", page, flags=re.MULTILINE))
    assert set(rows) == set(PROCEDURES)
    for name, kind in PROCEDURES.items():
        if kind.work is not None:
            shown = re.match(r"`(\w+)\((.*)\)`", rows[name])
            assert shown is not None
            assert shown[1] == kind.configuration.__name__
            assert set(shown[2].split(", ")) <= set(kind.configuration.__annotations__), name


def test_own_data_takes_at_most_five_lines() -> None:
    pages = [ROOT / "docs" / name for name in ("own_data.md", "compare.md")]
    studies = [
        block
        for page in pages
        for block in blocks_of(page)
        if block.language == "python" and "short" in block.words
    ]
    assert len(studies) >= 3
    for block in studies:
        code = [line for line in block.text.splitlines() if line.strip() and not line.startswith("#>")]
        assert len(code) <= 5, block.text
