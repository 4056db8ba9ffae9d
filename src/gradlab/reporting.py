"""Reports from results that exist: drawn again, or in the small form that is committed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from gradlab.lab.evaluate import records_of_losses
from gradlab.lab.record import Record
from gradlab.lab.store import SMALL_FILES, open_runs, write_small
from gradlab.lab.verify import changed_files, result_folders, verify_results
from gradlab.types import UserError

PAGES = ("results.json", "report.md", "report.html")
PARTS = ("figures", "tables")
"""Folders beside the pages."""
SMALL_LIMIT = 4 * 2**20
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
        UserError: several reports, no records beside them, or more than 4 MB.
    """
    if len(folders) != 1:
        raise UserError(f"--small takes one report, got {len(folders)}; name the report's folder.")
    (folder,) = folders
    if (folder / "runs.json").exists():
        raise UserError(f"{folder} is in small form already.")
    if (
        target.exists()
        and not (target / "runs.json").exists()
        and (target.is_file() or any(target.iterdir()))
    ):
        raise UserError(f"{target} holds something else; give --small a new folder.")
    stored, differences, _, _ = verify_results(folder)
    if differences:
        raise UserError(f"{folder} is not sound ({differences[0]}); see gradlab verify {folder}.")
    opened = open_runs(folder, [run["record"] for run in stored["runs"]])
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
        made = Path(name) / target.name
        for part in PARTS:
            if (folder / part).exists():
                shutil.copytree(folder / part, made / part)
        for page in PAGES:
            shutil.copyfile(folder / page, made / page)
        write_small(
            made, [run for run in opened.values() if isinstance(run, Record)], records_of_losses(stored)
        )
        write_manifest(made)
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        if size > SMALL_LIMIT:
            raise UserError(
                f"the small form would take {size / 2**20:.1f} MB, more than {SMALL_LIMIT / 2**20:g} MB; "
                "commit a study with fewer runs or test images."
            )
        shutil.rmtree(target, ignore_errors=True)
        os.replace(made, target)
    return size


def write_when_changed(results: dict[str, Any], folder: Path) -> None:
    """Write the report unless this very result stands there already."""
    from gradlab.report import write_report

    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if _stands(text, folder):
        return
    for part in PARTS:  # of another setting, with other tables
        shutil.rmtree(folder / part, ignore_errors=True)
    write_report(results, folder)
    write_manifest(folder)


def write_manifest(folder: Path) -> None:
    """Write manifest.json: the SHA-256 of every file that gradlab writes into a report's folder."""
    files = [folder / name for name in (*PAGES, *SMALL_FILES)]
    files += [path for part in PARTS for path in sorted((folder / part).glob("*.*"))]
    listed = {str(path.relative_to(folder)): _checksum(path) for path in files if path.exists()}
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


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
