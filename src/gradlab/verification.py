"""`gradlab.verify`: every number of a report and of its page, recomputed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from gradlab.lab.designing.design import dump_design
from gradlab.lab.judging.tables import clean
from gradlab.lab.judging.verify import (
    Verification,
    changed_files,
    differing,
    read_results,
    result_folders,
    verify_results,
)
from gradlab.procedures.registry import PROCEDURES
from gradlab.report.checking import changed_pages
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.types import UserError


def verify(path: str | Path, *, design: bool = False, rerun: int = 0) -> list[Verification]:
    """Recompute the results at `path` from per-sample predictions and per-epoch logs up.

    Checks that every record and file is what was written, that every claim, table and figure follows from the
    records, and that the pages say what results.json says; needs neither data nor the study nor torch.

    Args:
        path: a report, its folder, an --out folder, or a folder of committed results.
        design: also build the study afresh from what was asked, and name every claim, statement, smallest effect or
            published value that differs.
        rerun: also do so many of its runs again, chosen at random, and compare their bits; needs the data.
    """
    return [_verify_one(folder, design=design, rerun=rerun) for folder in result_folders(Path(path))]


def _verify_one(folder: Path, *, design: bool, rerun: int) -> Verification:
    _, differences, numbers, runs = verify_results(folder, PROCEDURES)
    results = read_results(folder)
    differences += changed_pages(folder, results)
    changed = changed_files(folder)
    differences += [name if " is " in name else f"{name} is not what was written" for name in changed]
    if design:
        differences += other_design(results)
    found = Verification(folder, numbers, runs, tuple(differences))
    if not rerun or not numbers:
        return found
    from gradlab.rerunning import run_again

    again = run_again(folder, results, rerun)
    return replace(found, differences=(*found.differences, *again.differences), again=again.compared)


def other_design(results: dict[str, Any]) -> list[str]:
    """Name what in a stored design is not what its study makes of the same parameters."""
    asked, name = results.get("asked"), results["study"]
    if not asked or name not in STUDIES:
        return [
            f"the study '{name}' cannot be built afresh: it is not one of this version, or what was asked is not told"
        ]
    try:
        built = build_design(STUDIES[name], name, Setup(**asked["setup"]), asked["parameters"])
    except (UserError, TypeError, ValueError) as error:
        return [f"the study '{name}' cannot be built afresh ({error})"]
    return [
        f"the study says otherwise: {one}"
        for one in differing(results["design"], clean(dump_design(built)), "design")
    ]
