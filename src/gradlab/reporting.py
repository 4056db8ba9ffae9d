"""Reports from results that exist: drawn again, or in the small form that is committed."""

from __future__ import annotations

import shutil
from pathlib import Path

from gradlab.lab.record import Record
from gradlab.lab.store import open_runs, write_small
from gradlab.lab.verify import result_folders, verify_results
from gradlab.running import write_manifest, write_when_changed
from gradlab.types import UserError

SMALL_LIMIT = 2 * 2**20
"""Largest small form, in bytes."""


def redraw(path: str | Path) -> list[Path]:
    """Recompute results from their records and draw their reports again.

    Returns: the folders of the reports.
    """
    folders = result_folders(Path(path))
    for folder in folders:
        fresh, _, numbers, _ = verify_results(folder)
        if not numbers:
            raise UserError(f"the records of {folder} are damaged; see gradlab verify {folder}.")
        write_when_changed(fresh, folder)
    return folders


def write_small_form(folders: list[Path], target: Path) -> int:
    """Write the one report in `folders` and its runs in small form; returns the size in bytes.

    Raises:
        UserError: several reports, no records beside them, or more than 2 MB.
    """
    if len(folders) != 1:
        raise UserError(f"--small takes one report, got {len(folders)}; name the report's folder.")
    (folder,) = folders
    if (folder / "runs.json").exists():
        raise UserError(f"{folder} is in small form already.")
    fresh, _, _, _ = verify_results(folder)
    opened = open_runs(folder, [run["record"] for run in fresh["runs"]])
    records = [run for run in opened.values() if isinstance(run, Record)]
    target.mkdir(parents=True, exist_ok=True)
    for name in ("results.json", "report.md", "report.html"):
        shutil.copyfile(folder / name, target / name)
    shutil.copytree(folder / "tables", target / "tables", dirs_exist_ok=True)
    write_small(target, records)
    write_manifest(target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    if size > SMALL_LIMIT:
        raise UserError(
            f"the small form in {target} takes {size / 2**20:.1f} MB, more than 2 MB; commit fewer runs."
        )
    return size
