"""Reports from results that exist: drawn again, or in the small form that is committed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.lab.designing.procedure import Kinds
from gradlab.lab.judging.verify import changed_files, open_runs, recompute, result_folders, verify_results
from gradlab.lab.kinds import Kind
from gradlab.lab.records.record import checksum, read_json
from gradlab.lab.records.small import RUNS, SMALL_FILES, Traced, read_small, write_small
from gradlab.lab.records.wanted import remember_records
from gradlab.procedures.toolbox import toolbox_with
from gradlab.types import UserError

PAGES = ("results.json", "report.md", "report.html")
PARTS = ("figures", "tables")
"""Folders beside the pages."""
SMALL_LIMIT = 4 * 2**20
"""Largest small form, in bytes."""


def redraw(path: str | Path, *, procedures: Sequence[Kind] = ()) -> list[Path]:
    """Recompute results from their records and draw their reports again.

    Args:
        procedures: kinds of your own that the results use.

    Returns: the folders of the reports.
    """
    folders = result_folders(Path(path))
    for folder in folders:
        fresh, _, numbers, _ = verify_results(folder, toolbox_with(procedures).kinds)
        if not numbers:
            raise UserError(f"the records of {folder} are damaged; see gradlab verify {folder}.")
        _write(fresh, folder)  # whatever stands there: another version may draw otherwise
    return folders


def write_small_form(folders: list[Path], target: Path, *, procedures: Sequence[Kind] = ()) -> int:
    """Write the one report in `folders` and what its evaluation reads of its runs; returns the size in bytes.

    A small form that stands at `target` is put aside until the new one is in place; killed in between, the old or the new
    one is there, whole.

    Raises:
        UserError: several reports, no records beside them, a target that holds anything else, or more than 4 MB.
    """
    if len(folders) != 1:
        raise UserError(f"--small takes one report, got {len(folders)}; name the report's folder.")
    (folder,) = folders
    if (folder / RUNS).exists():
        raise UserError(f"{folder} is in small form already.")
    final = target.resolve()
    _refuse_target(target, final)
    kinds = toolbox_with(procedures).kinds
    stored, differences, _, _ = verify_results(folder, kinds)
    if differences:
        raise UserError(f"{folder} is not sound ({differences[0]}); see gradlab verify {folder}.")
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{final.name}.") as name:
        made, aside = Path(name) / final.name, Path(name) / "before"
        _write_small_into(made, folder, stored, kinds)
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        if size > SMALL_LIMIT:
            raise UserError(
                f"the small form would take {size / 2**20:.1f} MB, more than {SMALL_LIMIT / 2**20:g} MB; "
                "commit a study with fewer runs or test images."
            )
        if final.exists():
            os.rename(final, aside)
        try:
            os.rename(made, final)
        except OSError:
            if aside.exists():
                os.rename(aside, final)
            raise
    return size


def _refuse_target(target: Path, final: Path) -> None:
    """Refuse a target that is, or holds, anything but an earlier small form as it was written."""
    here = Path.cwd()
    if final == here or final in here.parents:
        raise UserError(f"{target} is the current folder, or one above it; give --small a new folder.")
    if not final.exists():
        return
    others = "holds something else; give --small a new folder."
    if not final.is_dir():
        raise UserError(f"{target} {others}")
    if not any(final.iterdir()):
        return
    known = {"manifest.json", *(read_json(final / "manifest.json") if (final / RUNS).is_file() else ())}
    present = {
        str(path.relative_to(final)) for path in final.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    foreign = sorted(present - known)
    if foreign or not (final / RUNS).is_file():
        named = f" ({foreign[0]})" if foreign else ""
        raise UserError(f"{target} {others.replace(';', f'{named};')}")


def _write_small_into(made: Path, folder: Path, stored: dict[str, Any], kinds: Kinds) -> None:
    """Write pages, tables and what evaluation reads; then evaluate from that alone."""
    for part in PARTS:
        if (folder / part).exists():
            shutil.copytree(folder / part, made / part)
    for page in PAGES:
        shutil.copyfile(folder / page, made / page)
    traced = {name: Traced(run) for name, run in open_runs(folder, stored).items()}
    recompute(stored, traced, kinds)
    write_small(made, traced.values())
    recompute(stored, read_small(made), kinds)  # a column that lacks is named here
    write_manifest(made)


def write_when_changed(results: dict[str, Any], folder: Path) -> None:
    """Write the report unless this very result stands there already."""
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if _stands(text, folder):
        remember_records(folder, results)
        return
    _write(results, folder)


def _write(results: dict[str, Any], folder: Path) -> None:
    from gradlab.report import write_report

    remember_records(folder, results)
    for part in PARTS:  # of another setting, with other tables
        shutil.rmtree(folder / part, ignore_errors=True)
    write_report(results, folder)
    write_manifest(folder)


def write_manifest(folder: Path) -> None:
    """Write manifest.json: the SHA-256 of every file that gradlab writes into a report's folder."""
    files = [folder / name for name in (*PAGES, *SMALL_FILES)]
    files += [path for part in PARTS for path in sorted((folder / part).glob("*.*"))]
    listed = {str(path.relative_to(folder)): checksum(path) for path in files if path.exists()}
    stamp = folder / "manifest.json"
    temporary = folder / f".manifest.{os.getpid()}.tmp"
    temporary.write_text(json.dumps(listed, indent=1) + "\n")
    os.replace(temporary, stamp)


def _stands(text: str, folder: Path) -> bool:
    """Whether this very results.json and all that was written beside it are there, unchanged."""
    path = folder / "results.json"
    if not path.exists() or path.read_bytes() != text.encode():
        return False
    return all(name.endswith("is not listed in manifest.json") for name in changed_files(folder))
