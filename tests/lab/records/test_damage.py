"""Whatever is done to a record's files is named, refused, or harmless; nothing silently gives another number."""

import json
import random
import shutil
from pathlib import Path

import pytest

from gradlab.lab.judging.results import Results
from gradlab.lab.judging.verify import verify_results
from gradlab.lab.records.record import Record
from gradlab.types import UserError
from tests.lab import toy

COUNT = 200


def everything(folder: Path) -> str:
    """All that evaluation can read of a record, as text."""
    record = Record(folder)
    tables = {
        name: {k: v.tolist() for k, v in record.table(name).items()} for name in record.manifest["tables"]
    }
    kind = toy.TOOLBOX.kinds[record.spec["procedure"]["kind"]]
    measures = {name: one.value(Results(record, kind)) for name, one in kind.measures.items()}
    files = [record.file(name) and record.file(name).read_bytes().hex() for name in ("weights.safetensors",)]
    return json.dumps([record.spec, record.facts, record.made, tables, measures, files])


def damage(folder: Path, rng: random.Random) -> str:
    """Do something to one file, and say what."""
    path = rng.choice(sorted(folder.iterdir()))
    what = rng.choice(("flip", "truncate", "delete", "rename", "swap", "append"))
    content = bytearray(path.read_bytes())
    if what == "flip":
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
    elif what == "truncate":
        path.write_bytes(content[: rng.randrange(len(content))])
    elif what == "append":
        path.write_bytes(content + b" ")
    elif what == "delete":
        path.unlink()
    elif what == "rename":
        path.rename(folder / f"{path.name}.old")
    else:
        other = rng.choice([one for one in sorted(folder.iterdir()) if one != path])
        path.write_bytes(other.read_bytes())
    return f"{what} {path.name}"


@pytest.mark.slow
def test_of_two_hundred_damages_none_silently_gives_another_number(toy_finished, tmp_path):
    rng = random.Random(0)
    whole = sorted((toy_finished / "records").iterdir())
    before = {folder.name: everything(folder) for folder in whole}
    named = refused = 0
    for number in range(COUNT):
        source = rng.choice(whole)
        folder = Path(shutil.copytree(source, tmp_path / str(number) / source.name))
        done = damage(folder, rng)
        found = Record(folder).damaged() if (folder / "manifest.json").exists() else ["manifest.json"]
        named += bool(found)
        try:
            assert everything(folder) == before[source.name], (done, found)
        except UserError:
            refused += 1
        assert found or Record(folder).digest != Record(source).digest, done
        shutil.rmtree(folder.parent)
    assert named > 0.9 * COUNT
    assert refused > 0.5 * COUNT


@pytest.fixture
def report(toys):
    results = toy.run(toy.small_design(), toy.here(toys))
    folder = toys / "reports" / "toy"
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def found(report: Path) -> list[str]:
    return verify_results(report, toy.TOOLBOX.kinds)[1]


def test_every_damage_to_the_record_behind_a_result_is_named_by_verifying(report):
    assert found(report) == []
    rng = random.Random(1)
    run = json.loads((report / "results.json").read_text())["runs"][0]["record"]
    folder = report.parent.parent / "records" / run
    kept = report.parent / "kept"
    shutil.copytree(folder, kept)
    for _ in range(30):
        done = damage(folder, rng)
        assert found(report), done
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
    assert found(report) == []


def test_a_damaged_record_is_a_sentence_and_no_verdict(toys):
    for record in (toys / "records").iterdir():
        (record / "numbers.parquet").write_bytes(b"{}")
    with pytest.raises(UserError, match=r"numbers.parquet is damaged; delete the folder"):
        toy.run(toy.small_design(), toy.here(toys))
