"""Reports from results that exist: drawn again, or in the small form that is committed."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab._files import put_in_place, remove_left_behind, sync_tree, write_whole
from gradlab.lab.designing.procedure import Kinds
from gradlab.lab.judging.summaries import Summaries
from gradlab.lab.judging.verify import (
    changed_files,
    open_runs,
    read_results,
    recompute,
    result_folders,
    summaries_beside,
    verify_results,
)
from gradlab.lab.kinds import Kind
from gradlab.lab.records.record import MANIFEST, checksum, read_json
from gradlab.lab.records.small import RUNS, SMALL_FILES, Traced, read_small, write_small
from gradlab.lab.records.wanted import RECORDS, remember_records
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
        remember_records(folder, fresh)
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
    remove_left_behind(final)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=f".{final.name}.", suffix=".part") as name:
        made, aside = Path(name) / final.name, Path(name) / "before"
        _write_small_into(made, folder, stored, kinds)
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        if size > SMALL_LIMIT:
            raise UserError(
                f"the small form would take {size / 2**20:.1f} MB, more than {SMALL_LIMIT / 2**20:g} MB; "
                "commit a study with fewer runs or test images."
            )
        sync_tree(made)
        _refuse_target(target, final)  # also what a person put there meanwhile
        put_in_place(made, final, aside)
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
    known = {MANIFEST, RECORDS, *(read_json(final / MANIFEST) if (final / RUNS).is_file() else ())}
    present = {
        str(path.relative_to(final)) for path in final.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    foreign = sorted(present - known)
    if foreign or not (final / RUNS).is_file():
        named = f" ({foreign[0]})" if foreign else ""
        raise UserError(f"{target} {others.replace(';', f'{named};')}")


def _write_small_into(made: Path, folder: Path, stored: dict[str, Any], kinds: Kinds) -> None:
    """Write pages, tables and what evaluation reads; then evaluate from that alone."""
    from gradlab.report.writing import text_names

    for name in (*PAGES, *text_names(stored)):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, made / name)
    traced = {name: Traced(run) for name, run in open_runs(folder, stored).items()}
    summaries = Summaries()
    recompute(stored, traced, kinds, summaries)
    write_small(made, traced.values(), summaries.kept)
    recompute(stored, read_small(made), kinds, summaries_beside(made))  # a column that lacks is named here
    write_manifest(made)


def write_when_changed(results: dict[str, Any], folder: Path, *, is_read: bool = False) -> None:
    """Write the report unless this very result stands there already; `is_read` tells that it was read from there."""
    remember_records(folder, results)
    if not ((is_read or _holds(results, folder)) and _is_whole(folder)):
        _write(results, folder)


def _write(results: dict[str, Any], folder: Path) -> None:
    from gradlab.report.writing import text_names, write_report  # what stands needs none of what draws

    before = _listed(folder)
    write_report(results, folder)
    for name in before - set(text_names(results)):  # of another setting, with other tables
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    write_manifest(folder)


def _listed(folder: Path) -> set[str]:
    """Name the files in the folders beside the pages that were written there, and not by somebody else."""
    try:
        names = read_json(folder / MANIFEST)
    except UserError:
        return set()
    return {name for name in names if name.count("/") == 1 and name.partition("/")[0] in PARTS}


def write_manifest(folder: Path) -> None:
    """Write manifest.json: the SHA-256 of every file that gradlab writes into a report's folder."""
    from gradlab.report.writing import text_names

    names = (*PAGES, *SMALL_FILES, *sorted(text_names(read_results(folder))))
    listed = {name: checksum(folder / name) for name in names if (folder / name).is_file()}
    write_whole(folder / MANIFEST, (json.dumps(listed, indent=1) + "\n").encode())


def _holds(results: dict[str, Any], folder: Path) -> bool:
    """Whether this very results.json is there."""
    path = folder / "results.json"
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return path.exists() and path.read_bytes() == text.encode()


def _is_whole(folder: Path) -> bool:
    """Whether all that was written beside results.json is there, unchanged."""
    return all(name.endswith("is not listed in manifest.json") for name in changed_files(folder))
