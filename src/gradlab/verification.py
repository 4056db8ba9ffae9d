"""`gradlab.verify`: every number of a report and of its page, recomputed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradlab.lab.designing.design import dump_design
from gradlab.lab.designing.procedure import Kinds
from gradlab.lab.judging.tables import clean
from gradlab.lab.judging.verify import (
    Verification,
    changed_files,
    differing,
    read_results,
    result_folders,
    summaries_beside,
    verify_results,
)
from gradlab.lab.kinds import Kind
from gradlab.procedures.toolbox import toolbox_with
from gradlab.report.checking import changed_pages
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.types import UserError


def verify(
    path: str | Path, *, design: bool = False, rerun: int = 0, procedures: Sequence[Kind] = ()
) -> list[Verification]:
    """Recompute the results at `path` from what was written for single samples and epochs up.

    Checks that every record and file is what was written, that every claim, table and figure follows from the
    records, and that the pages say what results.json says; needs neither data nor the study nor torch.

    Args:
        path: a report, its folder, an --out folder, or a folder of committed results.
        design: also build the study afresh from what was asked, and name every claim, statement, smallest effect or
            published value that differs.
        rerun: also do so many of its runs again, chosen at random, and compare their bits; needs the data.
        procedures: kinds of your own that the results use.
    """
    kinds = toolbox_with(procedures).kinds
    return [_verify_one(folder, kinds, design=design, rerun=rerun) for folder in result_folders(Path(path))]


def _verify_one(folder: Path, kinds: Kinds, *, design: bool, rerun: int) -> Verification:
    unknown = _unknown_kinds(read_results(folder), kinds)
    if unknown:
        told = f"results rest on runs of kind '{unknown[0]}', which gradlab does not know; verify them in Python with its Kind: "
        return Verification(folder, 0, 0, (f"{told}gradlab.verify(path, procedures=[...])",))
    _, differences, numbers, runs = verify_results(folder, kinds)
    results = read_results(folder)
    differences += changed_pages(folder, results)
    changed = changed_files(folder)
    differences += [name if " is " in name else f"{name} is not what was written" for name in changed]
    if design:
        differences += other_design(results)
    summaries = summaries_beside(folder) if numbers else None
    summarised = sum(map(len, summaries.kept.values())) if summaries else 0
    found = Verification(folder, numbers, runs, tuple(differences), summarised=summarised)
    if not rerun or not numbers:
        return found
    from gradlab.rerunning import run_again

    again = run_again(folder, results, rerun)
    return replace(found, differences=(*found.differences, *again.differences), again=again.compared)


def _unknown_kinds(results: Mapping[str, Any], kinds: Kinds) -> list[str]:
    """Name the kinds of runs that are not known here; what is damaged otherwise is named later."""
    runs = [*_list(results.get("arms")), *_list(results.get("rests_on"))]
    named = [one["kind"] for one in runs if isinstance(one, dict) and isinstance(one.get("kind"), str)]
    return [kind for kind in dict.fromkeys(named) if kind not in (*kinds, "pick")]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


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
