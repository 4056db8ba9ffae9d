"""Whatever is changed in a report, in the records behind it or in its small form is named."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gradlab.lab.judging.verify import read_results, verify_results
from gradlab.lab.records.columns import column_digest, pack, unpack
from gradlab.lab.records.record import as_json, checksum
from gradlab.procedures import PROCEDURES
from gradlab.report.checking import changed_pages
from gradlab.reporting import write_manifest, write_small_form
from gradlab.types import UserError
from gradlab.verification import verify
from tests.finished import make_report

SMALL = ("runs.json", "columns.parquet")
RECORD = (
    "manifest.json",
    "spec.json",
    "facts.json",
    "made.json",
    "epochs.parquet",
    "gradients.parquet",
    "predictions.parquet",
    "errors.parquet",
    "weights.safetensors",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    write_small_form([make_report(out)], out / "small")
    return out


@pytest.fixture
def report(made, tmp_path):
    shutil.copytree(made, tmp_path / "out")
    return tmp_path / "out" / "reports" / "tiny-digits-quick"


@pytest.fixture
def small(made, tmp_path):
    return Path(shutil.copytree(made / "small", tmp_path / "results" / "tiny"))


@pytest.fixture(params=["report", "small"])
def either(request):
    return request.getfixturevalue(request.param)


def found(folder: Path) -> list[str]:
    (one,) = verify(folder)
    assert one.is_sound == (not one.differences)
    return list(one.differences)


def recomputed(folder: Path) -> list[str]:
    """What recomputing finds, without a look at the pages."""
    return verify_results(folder, PROCEDURES)[1]


def flip(path: Path, place: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[round(place * (len(content) - 1))] ^= 1
    path.write_bytes(content)


def change(path: Path, edit) -> None:
    """Edit results.json and forge the list of checksums with it, so that only recomputing can find it."""
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    write_manifest(path.parent)


def test_what_was_written_is_sound(either):
    (one,) = verify(either)
    assert one.differences == ()
    assert one.runs == 12
    assert one.numbers > 300


@pytest.mark.slow
def test_a_report_is_found_by_its_page_its_folder_and_the_out_folder(report):
    for path in (report / "report.html", report / "results.json", report, report.parent.parent):
        (one,) = verify(path)
        assert one.folder == report


def test_nothing_to_verify_is_one_sentence(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(
            UserError, match=r"holds no results\.json; give a report, its folder, or the --out folder"
        ):
            verify(path)


def last_digit(number: float) -> float:
    """The number with its last printed digit of six changed."""
    return float(f"{number:.6g}") + 10.0**-6 if number else 1e-6


@pytest.mark.parametrize(
    ("place", "edit"),
    [
        (
            "claims[T-1].estimate",
            lambda r: r["claims"][0].update(estimate=last_digit(r["claims"][0]["estimate"])),
        ),
        ("claims[T-1].interval[0]", lambda r: r["claims"][0]["interval"].__setitem__(0, 0.5)),
        ("claims[T-2].verdict", lambda r: r["claims"][1].update(verdict="refuted")),
        ("claims[T-1].level", lambda r: r["claims"][0].update(level=0.95)),
        (
            "claims[T-1].parts[depth 2].differences[1]",
            lambda r: r["claims"][0]["parts"][1]["differences"].__setitem__(1, 0.25),
        ),
        ("tables.accuracy.rows[2][5]", lambda r: r["tables"]["accuracy"]["rows"][2].__setitem__(5, 0.123)),
        ("figures[curves].panels[0].series[plain].y[1]", lambda r: _series(r).__setitem__(1, 0.123)),
        ("figures[confusion].counts[3][3]", lambda r: r["figures"][2]["counts"][3].__setitem__(3, 999)),
        ("answer", lambda r: r.update(answer="Yes.")),
        ("runs[7].digest", lambda r: r["runs"][7].update(digest="0" * 64)),
        ("runs[3].status", lambda r: r["runs"][3].update(status="diverged")),
        ("cost.seconds", lambda r: r["cost"].update(seconds=1.0)),
        ("provenance.torch", lambda r: r["provenance"].update(torch="1.0")),
        ("arms[plain-1].parameters", lambda r: r["arms"][0].update(parameters=1)),
        ("more", lambda r: r.update(more=1)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_changed_value_of_the_results_is_named_with_its_place(report, place, edit):
    change(report / "results.json", edit)
    places = [difference.split(" is ")[0] for difference in recomputed(report)]
    shown = place.replace("[0].series", ".series")  # a panel is called by its title
    assert any(
        re.sub(r"\.panels\[[^\]]*\]", ".panels", one) == re.sub(r"\.panels(\[\d\])?", ".panels", shown)
        for one in places
    ), places


def _series(results):
    return results["figures"][1]["panels"][0]["series"][0]["y"]


def test_a_last_digit_beyond_rounding_is_named_by_the_checksum(report):
    path = report / "results.json"
    text = path.read_text()
    number = re.search(r"0\.\d{16,17}\b", text)
    assert number
    other = number[0][:-1] + str((int(number[0][-1]) + 1) % 10)
    path.write_text(text.replace(number[0], other, 1))
    assert "results.json is not what was written" in found(report)


def test_one_digit_of_the_markdown_page_is_named_with_its_line(either):
    page = either / "report.md"
    line = next(
        line for line in page.read_text().splitlines() if "T-1" in line and re.search(r"\d\.\d", line)
    )
    changed = re.sub(r"(\d)\.(\d)", lambda m: f"{m[1]}.{(int(m[2]) + 1) % 10}", line, count=1)
    assert changed != line
    page.write_text(page.read_text().replace(line, changed))
    write_manifest(either)
    assert any(one.startswith(f"report.md says “{changed[:60]}") for one in found(either))


def test_one_digit_of_the_visible_page_is_named(either):
    page = either / "report.html"
    text = page.read_text()
    body = text.index("<body")
    number = next(m for m in re.finditer(r">([^<>]*\d\.\d[^<>]*)<", text[body:]) if "<svg" not in m[0])
    changed = re.sub(r"(\d)\.(\d)", lambda m: f"{m[1]}.{(int(m[2]) + 1) % 10}", number[1], count=1)
    start = body + number.start(1)
    page.write_text(text[:start] + changed + text[start + len(number[1]) :])
    assert "report.html is not what was written" in found(either)
    write_manifest(either)
    in_drawing = text[:start].count("<svg") > text[:start].count("</svg")
    assert in_drawing or any(one.startswith("report.html says “") for one in found(either))


PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
FORGERIES = {
    # what runs
    "a script": ("</body>", "<script>alert(1)</script></body>"),
    "a script from afar": ("</head>", '<script src="https://example.org/x.js"></script></head>'),
    "another script": ("<script>", "<script>alert(1);"),
    "an event handler": ("<body", '<body onload="steal()"'),
    "a handler of a drawing": ("<svg", '<svg onload="steal()"'),
    "a script in a drawing": ("<svg", "<svg><script>alert(1)</script></svg><svg"),
    "a link that runs": ('href="#claims"', 'href="javascript:alert(1)"'),
    "a looser policy": ("default-src &#39;none&#39;", "default-src *"),
    "no policy": ('<meta http-equiv="Content-Security-Policy"[^>]*>', ""),
    # what loads
    "a frame": ("</main>", '<iframe src="https://example.org"></iframe></main>'),
    "a frame that holds its page": ("</main>", '<iframe srcdoc="<h1>Supported</h1>"></iframe></main>'),
    "an object": ("</main>", '<object data="https://example.org/x.svg"></object></main>'),
    "something embedded": ("</main>", '<embed src="https://example.org/x.pdf"></main>'),
    "a remote picture": ("</main>", '<img src="https://example.org/x.png"></main>'),
    "a remote picture in a drawing": ("<svg", '<svg><image href="https://example.org/x.png"/></svg><svg'),
    "a page in a drawing": ("<svg", "<svg><foreignObject><p>Supported</p></foreignObject></svg><svg"),
    "a use of another drawing": ("<svg", '<svg><use href="https://example.org/x.svg#a"/></svg><svg'),
    "a style from afar": ("</head>", '<link rel="stylesheet" href="https://example.org/x.css"></head>'),
    "an imported style": ("<style>", '<style>@import "https://example.org/x.css";'),
    "a font": ("</style>", "@font-face{font-family:f;src:url(https://example.org/f.woff)}</style>"),
    "a page fetched beforehand": ("</head>", '<link rel="prerender" href="https://example.org"></head>'),
    "another icon": ('<link rel="icon" href="data:,">', '<link rel="icon" href="https://example.org/i.ico">'),
    "a form": ("</main>", '<form action="https://example.org"><button>Go</button></form></main>'),
    "another base": ("<title>", '<base href="https://example.org/"><title>'),
    "a redirection": ("<title>", '<meta http-equiv="refresh" content="0;url=https://example.org"><title>'),
    "a link out of a drawing": ("<svg", '<svg><a href="https://example.org">x</a></svg><svg'),
    # what is hidden or added
    "a style": ("</style>", "main{display:none}</style>"),
    "a style of one element": ('<div class="claims">', '<div class="claims" style="display:none">'),
    "another colour of a verdict": ("--open:[^;]*;", "--open: #1a7f37;"),
    "a hidden claim": ('<div class="claims">', '<div class="claims" hidden>'),
    "a badge of another verdict": ('class="chip open"', 'class="chip supported"'),
    "a comment": ("</body>", "<!-- all is well --></body>"),
    "a section twice": (r'<section aria-labelledby="claims">.*?</section>', r"\g<0>\g<0>"),
    "a section less": (r'<section aria-labelledby="tables">.*?</section>', ""),
    "a flag less": (r'<p class="flag">.*?</p>', ""),
    # what is said
    "a verdict": (r"</svg>Open</span>", "</svg>Supported</span>"),
    "a claim": ("statement of T-1", "statement of T-9"),
    "a number of a table": (r"<b>\d+\.\d%</b>", "<b>99.7%</b>"),
    "a number behind a table": (r'data-v="[^"]*"', 'data-v="9"'),
    "what a word means": (r'<abbr title="[^"]*"', '<abbr title="a large effect"'),
    "the title": ("<title>", "<title>Proof: "),
    "the citation": ("@misc{gradlab-", "@article{nature-"),
    "the characters": ('<meta charset="utf-8">', '<meta charset="utf-7">'),
    "what drew it": ('content="gradlab ', 'content="gradlab 9'),
    # what is drawn
    "a drawing": ('<path d="M', '<path d="M 7 7 L'),
    "a text of a drawing": (r"(<text[^>]*>)[^<]+<", r"\1supported<"),
    "what a drawing is called": (r'role="img" aria-label="[^"]*"', 'role="img" aria-label="all is well"'),
    "a picture of the gallery": (r'src="data:image/png;base64,[^"]*"', f'src="{PIXEL}"'),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_page_that_was_changed_is_named_whatever_the_checksums_say(report, forgery):
    page, (before, after) = report / "report.html", FORGERIES[forgery]
    text = page.read_text()
    forged, count = re.subn(before, after, text, count=1, flags=re.DOTALL)
    assert count == 1
    assert forged != text
    page.write_text(forged)
    assert any(one.startswith("report.html ") for one in changed_pages(report, read_results(report)))


FORGED_DRAWINGS = {
    "a script": ("</svg>", "<script>alert(1)</script></svg>"),
    "a picture from afar": ("</svg>", '<image href="https://example.org/x.png"/></svg>'),
    "a line": (r' d="M', ' d="M 7 7 L'),
    "a colour": (r"stroke: #[0-9a-f]{6}|fill: #[0-9a-f]{6}|#ffffff", "#123456"),
}


@pytest.mark.parametrize("forgery", FORGED_DRAWINGS)
def test_a_drawing_beside_the_page_that_was_changed_is_named(report, forgery):
    drawing, (before, after) = report / "figures" / "depths.svg", FORGED_DRAWINGS[forgery]
    forged, count = re.subn(before, after, drawing.read_text(), count=1)
    assert count == 1
    drawing.write_text(forged)
    seal(report)
    assert any(one.startswith("figures/depths.svg ") for one in found(report))  # all that verify looks at


def test_another_version_of_the_drawings_is_compared_by_its_texts(report, monkeypatch):
    page = report / "report.html"
    page.write_text(page.read_text().replace('<path d="M', '<path d="M 7 7 L', 1))
    seal(report)
    monkeypatch.setattr("gradlab.report.checking.drawn_with", lambda page: str(id(page)))
    assert found(report) == []
    page.write_text(page.read_text().replace("Claims and verdicts", "Claims and wishes", 1))
    seal(report)
    assert len(found(report)) == 2


def seal(folder):
    """Write the manifest of a report again, as a forger would."""
    write_manifest(folder)


@pytest.mark.parametrize("name", ["tables/accuracy.csv", "tables/accuracy.tex"])
def test_a_changed_or_missing_table_is_named(report, name):
    flip(report / name)
    *lines, last = found(report)
    assert last == f"{name} is not what was written"
    assert lines
    assert all(one.startswith(f"{name} ") for one in lines)
    (report / name).unlink()
    assert found(report) == [f"{name} is missing"]


def test_a_missing_or_damaged_list_of_files_is_named(report):
    (report / "manifest.json").write_text("{")
    assert found(report) == ["manifest.json is not what was written"]
    (report / "manifest.json").unlink()
    assert found(report) == ["manifest.json is missing, so report files cannot be checked byte by byte"]


@pytest.mark.parametrize("name", RECORD)
@pytest.mark.parametrize(
    "place", [0.4, *(pytest.param(place, marks=pytest.mark.slow) for place in (0.0, 1.0))]
)
def test_one_byte_in_any_file_of_a_record_is_named(report, name, place):
    run = json.loads((report / "results.json").read_text())["runs"][4]["record"]
    flip(report.parent.parent / "records" / run / name, place)
    assert any(run in one or name in one for one in recomputed(report))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("place", [0.0, 0.4, 1.0])
def test_one_byte_in_any_file_of_the_small_form_is_named(small, name, place):
    flip(small / name, place)
    assert f"{name} is not what was written" in found(small)


def test_forged_facts_of_the_small_form_are_named(small):
    def forge(data):
        data["runs"][2]["facts"]["best_epoch"] = 1 + data["runs"][2]["facts"]["best_epoch"] % 2
        data["runs"][2]["facts"]["test"]["cross_entropy"] += 0.01

    change(small / "runs.json", forge)
    run = json.loads((small / "runs.json").read_text())["runs"][2]["record"]
    assert f"facts.json of run {run} is not what was written" in recomputed(small)


def digests(small):
    """Make the digests of runs anew in results.json, as a forger would."""
    listed = json.loads((small / "runs.json").read_text())["runs"]
    import hashlib

    made = {run["record"]: hashlib.sha256(as_json(run["manifest"])).hexdigest() for run in listed}

    def renew(results):
        for run in (*results["runs"], *results["rests_on"]):
            run["digest"] = made[run["record"]]

    change(small / "results.json", renew)


def test_a_forged_list_of_files_of_the_small_form_is_named(small):
    def forge(data):
        data["runs"][0]["manifest"]["files"]["facts.json"] = "0" * 64

    change(small / "runs.json", forge)
    run = json.loads((small / "runs.json").read_text())["runs"][0]["record"]
    assert f"run {run} is not the one that the result names" in recomputed(small)
    digests(small)
    assert f"facts.json of run {run} is not what was written" in recomputed(small)


def test_a_swapped_prediction_is_named_where_it_shows(small):
    """A prediction of one run becomes another, and every digest is forged; only the numbers can tell."""
    listed = json.loads((small / "runs.json").read_text())
    columns = pq.read_table(small / "columns.parquet").to_pydict()
    stored = dict(zip(columns["digest"], range(len(columns["digest"])), strict=True))
    table = listed["runs"][0]["manifest"]["tables"]["predictions"]["columns"]
    place, labels = stored[table["prediction"]], stored[table["label"]]
    values, right = (unpack(columns["kind"][one], columns["bytes"][one]).copy() for one in (place, labels))
    row = next(i for i, (p, t) in enumerate(zip(values, right, strict=True)) if p == t)
    values[row] = (values[row] + 1) % 10
    columns["kind"][place], columns["bytes"][place] = pack(values)
    columns["digest"][place] = table["prediction"] = column_digest(np.asarray(values))
    kinds = {"digest": pa.string(), "kind": pa.string(), "bytes": pa.large_binary()}
    pq.write_table(
        pa.table({name: pa.array(columns[name], kind) for name, kind in kinds.items()}),
        small / "columns.parquet",
    )
    (small / "runs.json").write_bytes(as_json(listed))
    digests(small)
    differences = recomputed(small)
    assert any(one.startswith("tables.accuracy.rows") for one in differences)
    assert any(one.startswith("accuracy of run") for one in differences)  # the facts contradict it as well


def test_a_column_of_a_record_that_is_changed_with_every_checksum_redone_is_named(report):
    """The labels stay, a prediction changes, and so do column digest, manifest and the digest in results.json."""
    run = json.loads((report / "results.json").read_text())["runs"][0]["record"]
    folder = report.parent.parent / "records" / run
    table = {n: c.to_numpy() for n, c in zip(*_read(folder / "predictions.parquet"), strict=True)}
    table["prediction"] = (table["prediction"] + 1) % 10
    from gradlab.lab.records.columns import write_table

    write_table(folder / "predictions.parquet", table)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["predictions.parquet"] = checksum(folder / "predictions.parquet")
    manifest["tables"]["predictions"]["columns"]["prediction"] = column_digest(table["prediction"])
    (folder / "manifest.json").write_bytes(as_json(manifest))
    change(
        report / "results.json",
        lambda results: results["runs"][0].update(digest=checksum(folder / "manifest.json")),
    )
    differences = recomputed(report)
    assert f"prediction of run {run} does not follow from it" in differences
    assert any(one.startswith("tables.accuracy.rows") for one in differences)


def _read(path):
    table = pq.read_table(path)
    return table.column_names, table.columns


def test_another_order_of_seeds_is_named(either):
    change(either / "results.json", lambda results: results["seeds"].reverse())
    assert any(one.startswith("tables.accuracy.rows") for one in recomputed(either))


def test_records_that_changed_places_are_named(either):
    def swap(results):
        one, other = results["runs"][0], results["runs"][3]
        one["record"], other["record"] = other["record"], one["record"]

    change(either / "results.json", swap)
    assert any("is not the one that the result names" in one for one in recomputed(either))


def test_a_run_that_the_design_does_not_lead_to_is_named(either):
    """Conditions, design and seeds name the runs; another seed, data set or version leads elsewhere."""
    for edit in (
        lambda results: results["conditions"]["checksums"].update(digits="sha256:0"),
        lambda results: results["conditions"].update(threads=2),
        lambda results: results.update(seeds=[0, 1, 9]),
        lambda results: results["design"]["procedures"].update(
            {name: one | {"probe_batch": 64} for name, one in results["design"]["procedures"].items()}
        ),
    ):
        whole = (either / "results.json").read_text()
        change(either / "results.json", edit)
        assert any("which the result does not list" in one for one in recomputed(either))
        (either / "results.json").write_text(whole)


def test_a_deleted_record_is_named(report):
    run = json.loads((report / "results.json").read_text())["runs"][1]["record"]
    shutil.rmtree(report.parent.parent / "records" / run)
    (difference,) = found(report)
    assert f"record {run}" in difference


def test_a_run_deleted_from_the_small_form_is_named(small):
    run = json.loads((small / "runs.json").read_text())["runs"].pop()["record"]
    change(small / "runs.json", lambda data: data["runs"].pop())
    assert any(run in difference for difference in found(small))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"runs": []}', '{"runs": [{}]}', "\x00\xff"])
def test_results_that_are_none_are_one_sentence_or_a_difference(report, text):
    (report / "results.json").write_bytes(text.encode("latin-1"))
    try:
        differences = found(report)
    except UserError as error:
        differences = [str(error)]
    assert differences
    assert all("\n" not in one for one in differences)


def test_a_damaged_design_is_named(report):
    change(report / "results.json", lambda results: results["design"]["arms"][0].pop("procedure"))
    assert any("cannot be recomputed" in one for one in recomputed(report))


def test_one_bad_report_does_not_hide_the_others(report):
    other = report.parent / "zzz"
    shutil.copytree(report, other)
    flip(other / "tables" / "accuracy.csv")
    first, second = verify(report.parent.parent)
    assert first.is_sound
    assert second.differences[-1] == "tables/accuracy.csv is not what was written"
