"""The folder of a report: page, Markdown, results and tables, each written whole or not at all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gradlab._files import write_whole
from gradlab.report.figures import figure_files, figure_names
from gradlab.report.markdown import render_markdown
from gradlab.report.page import render_html
from gradlab.report.tables import table_csv, table_latex
from gradlab.types import UserError


def write_report(results: dict[str, Any], folder: Path) -> Path:
    """Write report.html, report.md, results.json, figures/*.svg, tables/*.csv and tables/*.tex.

    All texts are made before the first file is touched, and each file is replaced as a whole.

    Returns: the path of report.html.

    Raises:
        UserError: the folder cannot be written, or the results hold something that cannot be shown.
    """
    folder = Path(folder)
    files = {
        "results.json": _as_json(results),
        "report.md": render_markdown(results),
        "report.html": render_html(results),
    }
    files |= text_files(results)
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / name, text.encode())
    except OSError as error:
        raise UserError(
            f"the report could not be written to {folder}: {error.strerror}; choose another folder with --out."
        ) from error
    return folder / "report.html"


def text_files(results: dict[str, Any]) -> dict[str, str]:
    """Return what stands beside the pages, drawings and tables: path inside the report's folder -> text."""
    return figure_files(results) | table_files(results)


def text_names(results: dict[str, Any]) -> list[str]:
    """Return the names of what `text_files` returns, without drawing anything."""
    figures = [f"figures/{name}.svg" for name in figure_names(results.get("figures") or [])]
    tables = [f"tables/{safe_name(name)}" for name in results.get("tables") or {}]
    return figures + [f"{table}.{form}" for table in tables for form in ("csv", "tex")]


def safe_name(name: str) -> str:
    """Return the name of a table as that of a file."""
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "table"


def table_files(results: dict[str, Any]) -> dict[str, str]:
    """Return the tables as CSV and LaTeX: path inside the report's folder -> text."""
    files = {}
    for name, table in (results.get("tables") or {}).items():
        files[f"tables/{safe_name(name)}.csv"] = table_csv(table)
        files[f"tables/{safe_name(name)}.tex"] = table_latex(table, name)
    return files


def _as_json(results: dict[str, Any]) -> str:
    try:
        return json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise UserError(
            "the results hold a NaN or an infinity; write null for a value that is not there."
        ) from error
