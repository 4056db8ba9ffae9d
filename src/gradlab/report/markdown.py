"""The report as GitHub Markdown: what a reviewer reads in a diff."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from gradlab.report import _view
from gradlab.report._alarms import alarms_view
from gradlab.report._numbers_of_figure import alt_text, figure_table
from gradlab.report._pictures import check_counts, confusions, item_words
from gradlab.report._runs import runs_view
from gradlab.report._texts import told
from gradlab.report.claims import LABS, address, agreement, cites_labs, facts, meaning, sentence, tally, whole
from gradlab.report.figures import check_figure, figure_names
from gradlab.report.levels import as_read
from gradlab.report.numbers import in_unit, minus_in_prose, number, percent
from gradlab.report.page import headline, key_figure
from gradlab.report.tables import display_of, texts

SIGNS = {"supported": "✔", "refuted": "✘", "open": "？"}


def render_markdown(results: dict[str, Any]) -> str:
    """Return the report as Markdown; the same results give the same text.

    Raises:
        UserError: a verdict, kind of cell or kind of figure that is not known.
    """
    parts = [_opening(results), _claims(results), _setting(results), _tables(results), _figures(results)]
    parts += [_alarms(results), _twins(results), _runs(results), _cost(results), _provenance(results)]
    return minus_in_prose("\n".join(line for part in parts for line in part).rstrip() + "\n")


def escape(text: Any) -> str:
    """Escape what Markdown or HTML would take for markup, also inside a table; drop control characters.

    >>> print(escape("a|b <script> *x* [y] $z$"))
    a\\|b &lt;script&gt; \\*x\\* \\[y\\] \\$z\\$
    >>> print(escape("- 1"), escape("2. b"), escape("a\\x1b[0m\\u202e"))
    \\- 1 2\\. b a\\[0m
    """
    flat = re.sub(r"\s+", " ", "–" if text is None else str(text)).strip()
    flat = "".join(c for c in flat if unicodedata.category(c) not in ("Cc", "Cf"))
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = re.sub(r"([\\`*_|\[\]#~$!])", r"\\\1", flat)
    return re.sub(r"^(\d*)([-+.)](?: |$))", r"\1\\\2", flat)


def _grid(columns: Sequence[Any], rows: Sequence[Sequence[Any]], right: Sequence[int] = ()) -> Iterator[str]:
    """Yield a Markdown table; a number's text needs no escape of its brackets."""
    yield "| " + " | ".join(escape(c) for c in columns) + " |"
    yield "|" + "|".join("---:" if i in right else "---" for i in range(len(columns))) + "|"
    for row in rows:
        yield "| " + " | ".join(_plain(c) for c in row) + " |"
    yield ""


def _plain(text: Any) -> str:
    """Leave numbers and intervals readable in the source, escape all else."""
    return str(text) if re.fullmatch(r"[-+\d.,%\[\] ×^e–]+( [a-z]+)?( \[.*\])?", str(text)) else escape(text)


def _opening(results: dict[str, Any]) -> Iterator[str]:
    yield f"# {escape(results.get('question'))}"
    yield ""
    title = results.get("title") or results.get("study")
    yield f"*{escape(title)} · {escape(results.get('data'))} · {escape(headline(results))}*"
    yield ""
    if results.get("answer"):
        yield from (f"**{escape(results['answer'])}**", "")
    counted = tally(results.get("claims") or [])
    if counted:
        yield from (" · ".join(f"{SIGNS[verdict]} {count} {verdict}" for verdict, count in counted), "")
    key, figures = key_figure(results), results.get("figures") or []
    if key is not None:
        yield from (f"![{escape(alt_text(figures[key]))}](figures/{figure_names(figures)[key]}.svg)", "")
    if results.get("background"):
        yield from (escape(results["background"]), "")


def _claims(results: dict[str, Any]) -> Iterator[str]:
    claims = as_read(results)
    if not claims:
        return
    yield from ("## Claims and verdicts", "")
    rows = []
    for claim in claims:
        shown = in_unit(claim)
        verdict = f"{SIGNS[claim['verdict']]} {claim['verdict']}"
        rows.append([claim["id"], claim["statement"], verdict, shown.both, shown.delta])
    yield from _grid(["Claim", "Statement", "Verdict", "Effect [interval]", "δ, or the bound asked"], rows)
    for claim in claims:
        yield from _claim(whole(claim))
    if cites_labs(claims):
        yield from (escape(LABS), "")


def _claim(claim: dict[str, Any]) -> Iterator[str]:
    yield f"### {escape(claim['id'])}: {escape(claim['verdict'])}"
    yield ""
    yield f"{escape(claim['statement'].rstrip('.'))}. {escape(claim.get('explanation') or '')}".strip()
    yield ""
    if claim.get("reading"):
        yield from (f"**{escape(sentence(claim['reading']))}**", "")
    if claim.get("parts"):
        rows = []
        for part in claim["parts"]:
            shown = in_unit(part)
            rows.append([part.get("label"), shown.estimate, shown.interval, part.get("verdict") or "–"])
        yield from _grid(["Part", claim.get("measure") or "effect", "Interval", "Verdict"], rows, (1,))
    known = ", ".join(f"{name} {value}" for name, value in facts(claim))
    yield f"- {escape('; '.join(text for text in (claim.get('measure'), known) if text))}"
    if claim.get("more_seeds"):
        yield f"- To decide it: {escape(claim['more_seeds'])}"
    yield f"- What this means: {escape(' '.join(meaning(claim)))}"
    for flag in claim.get("flags") or ():
        yield f"- **Flag:** {escape(flag)}"
    if claim.get("published"):
        published = claim["published"]
        link, source = address(published), escape(published.get("source") or "")
        source = f" ([{source}]({link}))" if link else f" ({source})" if source else ""
        yield f"- Published: {escape(published.get('value'))}{source}"
        if published.get("protocol"):
            yield f"- How it was obtained: {escape(published['protocol'])}"
        yield f"- Comparison: {escape(agreement(claim))}"
    if claim.get("other_setting"):
        yield f"- Other setting: {escape(claim['other_setting'])}"
    yield ""


def _setting(results: dict[str, Any]) -> Iterator[str]:
    yield from ("## What ran", "")
    if results.get("setting_text"):
        yield from (escape(results["setting_text"]), "")
    if results.get("other_setting"):
        yield from (f"**Not the published setting:** {escape(results['other_setting'])}.", "")
    if results.get("corrections"):
        corrected = "; ".join(escape(text) for text in results["corrections"])
        yield from (f"Corrected against the published protocol: {corrected}.", "")
    for name, value in _view.specs(results):
        yield f"- {name}: {escape(value)}"
    for name, value in (results.get("parameters") or {}).items():
        yield f"- {escape(name)} = {escape(_view.plain_value(value))}"
    yield ""
    arms = _view.arms_view(results)
    if arms:
        yield from _grid(arms["columns"], arms["rows"], arms["right"])


def _tables(results: dict[str, Any]) -> Iterator[str]:
    for name, table in (results.get("tables") or {}).items():
        yield from (f"## {escape(table.get('title') or name)}", "")
        if table.get("caption"):
            yield from (escape(table["caption"]), "")
        columns = display_of(table)
        right = [i for i, c in enumerate(columns) if c["kind"] in ("int", "number", "percent")]
        yield from _grid([c["header"] for c in columns], list(texts(table)), right)


def _figures(results: dict[str, Any]) -> Iterator[str]:
    figures = results.get("figures") or []
    if figures:
        yield from ("## Figures", "")
    for figure, name in zip(figures, figure_names(figures), strict=True):
        yield from (f"### {escape(figure.get('title') or figure.get('name'))}", "")
        if figure.get("caption"):
            yield from (escape(figure["caption"]), "")
        yield from (f"![{escape(alt_text(figure))}](figures/{name}.svg)", "")
        yield from _told(figure)


def _told(figure: dict[str, Any]) -> Iterator[str]:
    """Yield a figure's numbers, folded where they are long."""
    kind = check_figure(figure)
    if kind == "matrix":
        yield from _matrix(figure)
    elif kind == "gallery":
        yield from (
            f"- {escape(' · '.join(t for t in item_words(i) if t))}" for i in figure.get("items") or ()
        )
        yield ""
    elif kind == "texts":
        yield from (f"- {escape(told(item))}" for item in figure.get("items") or ())
        yield ""
    elif table := figure_table(figure):
        yield from ("<details><summary>The numbers of this figure</summary>", "")
        yield from _grid(table["columns"], table["rows"], range(table["key_count"], len(table["columns"])))
        if table["note"]:
            yield from (escape(table["note"]), "")
        yield from ("</details>", "")


def _matrix(figure: dict[str, Any]) -> Iterator[str]:
    labels = [str(label) for label in figure["labels"]]
    check_counts(labels, figure["counts"])
    if len(labels) <= 20:
        rows = [[label, *map(number, row)] for label, row in zip(labels, figure["counts"], strict=True)]
        yield from _grid(["true \\ predicted", *labels], rows, range(1, len(labels) + 1))
    worst = [f"{escape(a)} → {escape(b)} {n}× ({percent(s)})" for a, b, n, s in confusions(figure)]
    yield from (f"Most frequent confusions: {', '.join(worst) or 'none'}.", "")


def _alarms(results: dict[str, Any]) -> Iterator[str]:
    view = alarms_view(results)
    if view is not None:
        yield from ("## What the probes say", "", view["lead"], "")
        if view["rows"]:
            yield from _grid(view["columns"], view["rows"])


def _twins(results: dict[str, Any]) -> Iterator[str]:
    twins = _view.twins_view(results)
    if twins:
        yield from ("## What differs, and what does not", "")
        rows = [[f"{t['a']} / {t['b']}", "; ".join(t["differs"]), "; ".join(t["same"])] for t in twins]
        yield from _grid(["Pair", "Differs", "The same"], rows)


def _runs(results: dict[str, Any]) -> Iterator[str]:
    view = runs_view(results)
    if view is None:
        return
    yield from ("## Every run", "", view["summary"], "")
    rows = [[arm, *(view["signs"].get(state, "") for state, _ in cells)] for arm, cells in view["grid"]]
    yield from _grid(["Arm", *(f"seed {seed}" for seed in view["seeds"])], rows)
    yield from (" · ".join(f"{mark} {view['words'][state]}" for state, mark in view["signs"].items()), "")


def _cost(results: dict[str, Any]) -> Iterator[str]:
    view = _view.cost_view(results)
    if view is not None:
        yield from ("## Cost", "", view["summary"], "")
        if view["rows"]:
            rows = [[row["arm"], row["seconds"], row["memory"]] for row in view["rows"]]
            yield from _grid(["Arm", "Time", "Peak memory"], rows, (1, 2))


def _provenance(results: dict[str, Any]) -> Iterator[str]:
    yield from ("## Provenance, and how to recompute", "")
    for name, value in _view.provenance_view(results):
        yield f"- {escape(name)}: {escape(value)}"
    command = (results.get("provenance") or {}).get("command")
    lines = ["gradlab verify .", *([command] if command else [])]
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0))
    yield from ("", f"{fence}sh", *(re.sub(r"\s+", " ", line) for line in lines), fence)
