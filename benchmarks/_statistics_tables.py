"""The results of statistics_coverage.py as Markdown."""

from __future__ import annotations

from typing import Any

WAYS = ("stopping", "always")


def percent(value: float) -> str:
    """Return a fraction in percent, one decimal."""
    return f"{100 * value:.1f} %"


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table, and an empty one."""
    return [" | ".join(["", *row, ""]).strip() for row in (header, ["---"] * len(header), *rows)] + [""]


def markdown(results: dict[str, Any]) -> str:
    """Return the whole page."""
    lines = [
        "# Statistics by simulation",
        "",
        f"`{results['command']}`, seed {results['seed']}, {results['repeats']:,} repeats (normal data: ten times "
        f"as many), {results['seconds']:.0f} s of one core ({results['processor']}). "
        "Intervals are at 95 % where nothing else is said.",
        "",
        *table(
            ["promise", "target", "smallest", "largest", "holds"],
            [
                [row["name"], " to ".join(map(percent, row["target"])), percent(row["smallest"]),
                 percent(row["largest"]), "yes" if row["holds"] else "NO"]
                for row in results["targets"]
            ],
        ),
        *_crossed_tables(results),
        *_other_tables(results),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _crossed_tables(results: dict[str, Any]) -> list[str]:
    shown = [row for row in results["crossed"] if row["n"] in (3, 6, 12, 20)]
    lines = [
        "## Coverage, seeds crossed with test samples",
        "",
        "Two arms predict the same images; every seed, image and single prediction varies. 360 images: every "
        "prediction simulated (one draw of 20 seeds serves all n). 10,000 images: sufficient statistics of a normal "
        "crossed model with the variances of the same predictions; a direct simulation checks it below. "
        "*Satterthwaite*: one t on s²/n + s_N²/N. *Seeds only*: the usual interval over seeds.",
        "",
    ]
    header = ["arms", "images", "n", "the rule", "Satterthwaite", "seeds only"]
    rules = ("rule", "satterthwaite", "seeds_only")
    lines += table(
        header,
        [
            [row["scenario"], f"{row['samples']:,}", str(row["n"]), *(percent(row[r]) for r in rules)]
            for row in shown
        ],
    )
    lines += ["Direct simulation of 10,000 images, against the sufficient statistics:", ""]
    return lines + table(
        ["arms", "n", "repeats", "direct", "sufficient"],
        [
            [
                row["scenario"],
                str(row["n"]),
                str(row["repeats"]),
                percent(row["rule"]),
                percent(row["sufficient"]),
            ]
            for row in results["cross_check"]
        ],
    )


def _hard_tables(results: dict[str, Any]) -> list[str]:
    lines = ["## Harder data", "", "Coverage where 95 % are promised. *Without*: without the score bound. "]
    lines[-1] += "*Limit*: below 93 %; it does not hold there, and the docs say so."
    lines += [
        "",
        *table(
            ["data", "n", "coverage", "without", "limit"],
            [
                [
                    row["case"],
                    str(row["n"]),
                    percent(row["coverage"]),
                    percent(row["normal"]),
                    "" if row["holds"] else "LIMIT",
                ]
                for row in results["hard"]
            ],
        ),
    ]
    lines += ["## Runs in two groups", "", results["about"]["groups"], ""]
    keys = ("allowed", "mixed", "false", "hidden", "power")
    lines += table(
        ["arms", *keys], [[row["case"], *(percent(row[key]) for key in keys)] for row in results["groups"]]
    )
    lines += ["## Delta retyped between looks", "", results["about"]["retyped"], ""]
    return lines + table(list(results["retyped"]), [[percent(one) for one in results["retyped"].values()]])


def _other_tables(results: dict[str, Any]) -> list[str]:
    lines = ["## Coverage, normal data", ""]
    lines += table(
        ["n", "coverage"], [[str(row["n"]), percent(row["coverage"])] for row in results["normal"]]
    )
    lines += [
        "## Any false verdict: eight claims, looks at 6 and 12 seeds",
        "",
        "At a true difference of exactly +delta or -delta every verdict that an interval beside it gives is counted as "
        "false, whatever the kind of the claim; at 0, being above delta or below -delta is. *Stopping*: look 2 "
        "only where look 1 was open. *Always*: false at either look. "
        "*Normal*: the rule without its score bound. *Seeds agree*: eight claims of one kind, each on images of its "
        "own, on which every seed predicts the same.",
        "",
    ]
    names = ("rule", "satterthwaite", "normal")
    lines += table(
        ["data", "truth", *(f"{name}{way}" for name in ("", "Satterthwaite, ", "normal, ") for way in WAYS)],
        [
            [row["data"], row["truth"], *(percent(row[r][w]) for r in names for w in WAYS)]
            for row in results["false_verdicts"]
        ],
    )
    lines += ["## Seeds agree: exact", "", results["about"]["exact"], ""]
    lines += table(
        ["data", "level", "covered", "false verdict", "allowed", "normal: covered", "normal: false verdict"],
        [
            [
                row["case"],
                f"{100 * row['level']:.4g} %",
                percent(row["rule"]["coverage"]),
                f"{100 * row['rule']['false_verdict']:.2f} %",
                f"{100 * (1 - row['level']):.2f} %",
                percent(row["normal"]["coverage"]),
                f"{100 * row['normal']['false_verdict']:.2f} %",
            ]
            for row in results["exact"]
        ],
    )
    lines += ["## Some seeds fail", "", results["about"]["failing_seeds"], ""]
    keys = ("coverage", "flagged", "flagged_expected", "coverage_where_flagged", "missed_without_a_flag")
    lines += table(
        ["p", "n", *(key.replace("_", " ") for key in keys)],
        [
            [f"{row['p']:g}", str(row["n"]), *(percent(row[key]) for key in keys)]
            for row in results["failing_seeds"]
        ],
    )
    lines += ["## Coverage of an AUROC", "", results["about"]["auroc_coverage"], ""]
    ways = ("both", "in_alone", "out_alone", "seeds_alone")
    lines += table(
        ["scores", "n", *(way.replace("_", " ") for way in ways)],
        [[row["case"], str(row["n"]), *(percent(row[way]) for way in ways)] for row in results["auroc"]],
    )
    lines += _hard_tables(results)
    lines += ["## Planned power of 80 %", "", results["about"]["planned_power"], ""]
    return lines + table(
        ["n", "claims", "test samples", "true difference", "power"],
        [
            [
                str(r["n"]),
                str(r["claims"]),
                str(r["samples"] or "none"),
                f"{r['effect']:.2f}",
                percent(r["power"]),
            ]
            for r in results["planned_power"]
        ],
    )
