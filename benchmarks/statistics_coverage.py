"""Do the intervals, verdicts and plans of gradlab.statistics keep what they promise? A simulation.

    python benchmarks/statistics_coverage.py            # results/statistics/coverage.json and .md
    python benchmarks/statistics_coverage.py --quick    # a small smoke run, for tests

Repeats are drawn in bulk, so the rule of `interval` stands in _statistics_data.py a second time, in vector form
(`the_rule`); `check_against_library` compares the two, and `judge`, draw by draw.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from _statistics_auroc import auroc_coverage
from _statistics_data import (
    AGREEING,
    EQUAL,
    RULES,
    SCENARIOS,
    Ends,
    Scenario,
    Statistics,
    binary_differences,
    components,
    crossed_statistics,
    direct,
    of_seeds,
    outcomes,
    sufficient,
    the_rule,
)
from _statistics_hard import ceilings, few_samples, groups, of_seeds_alone, retyped
from _statistics_tables import markdown, percent
from numpy.typing import NDArray

from gradlab.statistics import alpha_at, interval, judge, plan
from gradlab.types import derive_seed

SEED = 20_251
SIZES = tuple(range(3, 21))
LOOKS = (6, 12)
CLAIMS = 8
Rows = list[dict[str, Any]]
Bools = NDArray[np.bool_]


def stream(*names: str | int) -> np.random.Generator:
    """Return the generator of the stream with this name."""
    return np.random.default_rng(derive_seed(SEED, *names))


def holds(found: Statistics, ends: Ends, truth: float) -> Bools:
    """Return whether each repeat's interval holds the truth; rounding does not count against it."""
    low, high = found.estimate - ends[0], found.estimate + ends[1]
    return (low <= truth + 1e-12) & (truth - 1e-12 <= high)


def covered(found: Statistics, ends: Ends, truth: float) -> float:
    """Return the share of repeats whose interval holds the truth."""
    return float(np.mean(holds(found, ends, truth)))


def normal_data(repeats: int) -> Rows:
    """Coverage for normal differences, one per seed."""
    rows: Rows = []
    for n in SIZES:
        found = of_seeds(stream("normal", n).standard_normal((repeats, n)))
        rows.append({"n": n, "coverage": covered(found, the_rule(found, n, 2, 0.95), 0.0)})
    return rows


def crossed(repeats: int, checks: int) -> tuple[Rows, Rows]:
    """Coverage with 360 test images (direct) and 10,000 (sufficient statistics, checked directly)."""
    rows, cross_checks = [], []
    for scenario in SCENARIOS:
        small = direct(scenario, 360, repeats, SIZES, stream("crossed", scenario.name))
        rows += [_crossed_row(scenario, 360, n, small[n], scenario.truth) for n in SIZES]
        few = direct(scenario, 10_000, checks, (3, 6, 12), stream("check", scenario.name))
        parts = components(few[12], 12, 10_000)
        for n in SIZES:
            large = sufficient(parts, n, 10_000, repeats, stream("sufficient", scenario.name, n))
            rows.append(_crossed_row(scenario, 10_000, n, large, 0.0))
            if n in few:
                row = _crossed_row(scenario, 10_000, n, few[n], scenario.truth)
                cross_checks.append({**row, "sufficient": rows[-1]["rule"], "repeats": checks})
    return rows, cross_checks


def _crossed_row(scenario: Scenario, samples: int, n: int, found: Statistics, truth: float) -> dict[str, Any]:
    shares = {name: covered(found, rule(found, n, samples, 0.95), truth) for name, rule in RULES.items()}
    return {"scenario": scenario.name, "samples": samples, "n": n, **shares}


def failing_seeds(repeats: int) -> Rows:
    """Arm a trains with probability p (accuracy 0.95), else it stays at 0.11; arm b has 0.93."""
    rows: Rows = []
    for p, n in product((0.9, 0.6), SIZES):
        rng = stream("failing", str(p), n)
        trained = rng.random((repeats, n)) < p
        d = np.where(trained, 0.95, 0.11) - 0.93 + 0.005 * rng.standard_normal((repeats, n))
        truth = p * 0.95 + (1 - p) * 0.11 - 0.93
        found = of_seeds(d)
        inside = holds(found, the_rule(found, n, 2, 0.95), truth)
        flagged = trained.any(axis=1) & ~trained.all(axis=1)
        rows.append(
            {
                "p": p,
                "n": n,
                "coverage": float(inside.mean()),
                "flagged": float(flagged.mean()),
                "flagged_expected": 1 - p**n - (1 - p) ** n,
                "coverage_where_flagged": float(inside[flagged].mean()),
                "missed_without_a_flag": float((~inside & ~flagged).mean()),
            }
        )
    return rows


def false_verdicts(repeats: int) -> Rows:
    """Any false verdict over eight claims and two looks (6 seeds, then 12)."""
    rows: Rows = []
    for delta, sign in product((0.05, 1.0, 5.0), (1, -1, 0)):
        d = stream("family", str(delta), sign).standard_normal((repeats * CLAIMS, max(LOOKS))) + sign * delta
        looks = [of_seeds(d[:, :n]) for n in LOOKS]
        rows.append({"data": f"normal, delta = {delta:g} SD", **_family(looks, 2, delta, sign)})
    for share, sign in product((0.5, 0.7, 0.9), (1, 0)):
        looks = _two_looks(share, repeats * CLAIMS, stream("family-share", str(share), sign))
        delta = 5.0 if sign else 0.05
        looks = [_shifted(one, sign * delta) for one in looks]
        rows.append(
            {"data": f"crossed, {share:.0%} of the variance from seeds", **_family(looks, 360, delta, sign)}
        )
    for scenario in (SCENARIOS[2], EQUAL):
        found = direct(scenario, 360, repeats * CLAIMS, LOOKS, stream("family", scenario.name))
        looks, delta = [found[n] for n in LOOKS], scenario.truth or 0.002
        for sign in (1, -1) if scenario.truth else (0,):
            mirrored = [_times(one, sign or 1) for one in looks]
            rows.append({"data": "0/1 predictions, 360 images", **_family(mirrored, 360, delta, sign)})
    return rows + _agreeing_families(repeats)


def _agreeing_families(repeats: int) -> Rows:
    """The same where all seeds agree, so that look 2 sees what look 1 saw, at a stricter level."""
    rows: Rows = []
    for case in AGREEING:
        counts = stream("family-agreeing", case.name).multinomial(
            case.samples, (case.more, case.less, 1 - case.more - case.less), repeats * CLAIMS
        )
        found = case.statistics(counts[:, 0].astype(float), counts[:, 1].astype(float))
        for sign in (1,) if case.constant else (1, -1):
            row = _family([_times(found, sign)] * 2, case.samples, case.delta, sign)
            rows.append({"data": f"seeds agree: {case.name}", **row})
    return rows


def _family(looks: list[Statistics], samples: int, delta: float, sign: int) -> dict[str, Any]:
    """Share of studies with a false verdict: stopping at the first verdict, and always looking twice."""
    row: dict[str, Any] = {"truth": {1: "+delta", -1: "-delta", 0: "0"}[sign]}
    for name in ("rule", "satterthwaite", "normal"):
        false, decided = [], []
        for j, (n, found) in enumerate(zip(LOOKS, looks, strict=True), 1):
            below, above = RULES[name](found, n, samples, 1 - alpha_at(j) / CLAIMS)
            low, high = found.estimate - below, found.estimate + above
            beyond = (low > delta) | (high < -delta)
            within = (-delta < low) & (high < delta)
            decided.append(beyond | within)
            false.append(beyond if sign == 0 else beyond | within)
        stopping = np.where(decided[0], false[0], false[1])
        always = false[0] | false[1]
        row[name] = {
            "stopping": float(stopping.reshape(-1, CLAIMS).any(axis=1).mean()),
            "always": float(always.reshape(-1, CLAIMS).any(axis=1).mean()),
        }
    return row


def _two_looks(share: float, repeats: int, rng: np.random.Generator) -> list[Statistics]:
    """Nested looks at a normal crossed model without interaction; `share` of look 1's variance is the seeds'."""
    seeds = np.sqrt(share * LOOKS[0]) * rng.standard_normal((repeats, max(LOOKS)))
    test_set = np.sqrt(1 - share) * rng.standard_normal(repeats)
    by_samples = (1 - share) * rng.chisquare(359, repeats) / 359
    parts = [of_seeds(seeds[:, :n] + test_set[:, None]) for n in LOOKS]
    return [replace(one, samples=by_samples) for one in parts]


def _shifted(one: Statistics, by: float) -> Statistics:
    return replace(one, estimate=one.estimate + by)


def _times(one: Statistics, sign: int) -> Statistics:
    mirrored = replace(one, estimate=-one.estimate, below=one.above, above=one.below)
    return one if sign > 0 else mirrored


def exact(levels: tuple[float, ...] = (0.95, 0.96, 0.98, 1 - 0.04 / CLAIMS)) -> Rows:
    """All seeds agree, the truth is exactly +delta: every outcome of N images weighed by its probability."""
    rows: Rows = []
    for case, level in product(AGREEING, levels):
        more, less, weights = outcomes(case)
        found = case.statistics(more, less)
        row: dict[str, Any] = {"case": case.name, "level": level}
        for name in ("rule", "normal"):
            below, above = RULES[name](found, 6, case.samples, level)
            low, high = found.estimate - below, found.estimate + above
            decided = (low > case.delta) | (high < -case.delta) | ((-case.delta < low) & (high < case.delta))
            inside = holds(found, (below, above), case.delta)
            row[name] = {"coverage": float(weights @ inside), "false_verdict": float(weights @ decided)}
        rows.append(row)
    return rows


def planned_power(repeats: int) -> Rows:
    """Simulated share of "supported" where 80 % was planned; the seed SD is 1, the sample SD 8 of 360."""
    rows: Rows = []
    for n, claims, sample_sd in product((3, 6, 12, 20), (1, 8), (None, 8.0)):
        samples = None if sample_sd is None else 360
        made = plan(sd=1.0, delta=0.5, seeds=n, claims=claims, sample_sd=sample_sd, samples=samples)
        rng = stream("power", n, claims, str(sample_sd))
        found = sufficient((1.0, (sample_sd or 0.0) ** 2, 0.0), n, samples or 2, repeats, rng)
        low = found.estimate + made.effect[0] - the_rule(found, n, samples or 2, made.level)[0]
        row = {"n": n, "claims": claims, "samples": samples, "effect": made.effect[0]}
        rows.append({**row, "power": float(np.mean(low > 0.5))})
    return rows


def check_against_library(draws: int) -> dict[str, float]:
    """Compare the vector form with `interval` and `judge`; the largest difference of an end."""
    worst, flags_raised = 0.0, 0
    for k in range(draws):
        n, scenario = 3 + k % 10, SCENARIOS[k % len(SCENARIOS)]
        d = binary_differences(scenario, (1, n, 360), stream("library", k))
        ((_, found),) = crossed_statistics(d, (n,))
        worst = max(worst, _distance(found, d[0], 360))
        case = AGREEING[k % len(AGREEING)]
        share = (case.more, case.less, 1 - case.more - case.less)
        more, less, _ = stream("library-agreeing", k).multinomial(case.samples, share)
        one = np.zeros(case.samples) - case.constant
        one[:more] += 1
        one[more : more + less] -= 1
        found = case.statistics(np.array([float(more)]), np.array([float(less)]))
        worst = max(worst, _distance(found, np.tile(one, (n, 1)), case.samples))
        trained = np.arange(n) > 0
        learned = {"a": trained, "b": np.ones(n, dtype=bool)}
        other = 0.93 + 0.001 * np.arange(n)
        judged = judge(np.where(trained, 0.95, 0.11), other, delta=0.01, learned=learned, range=(0, 1))
        flags_raised += judged.interval.rule == "two groups" and "two groups" in judged.flags[0]
    return {"draws": draws, "largest_difference": worst, "flags_raised": flags_raised / draws}


def _distance(found: Statistics, d: NDArray[Any], samples: int) -> float:
    one = interval(d, level=0.995)
    below, above = the_rule(found, len(d), samples, 0.995)
    low, high = float(found.estimate[0] - below[0]), float(found.estimate[0] + above[0])
    return max(abs(one.low - low), abs(one.high - high))


def run(*, quick: bool) -> dict[str, Any]:
    """Return every number, as JSON values."""
    repeats = 400 if quick else 10_000
    started = time.process_time()
    rows, cross_checks = crossed(repeats, 20 if quick else 400)
    results: dict[str, Any] = {
        "command": "python benchmarks/statistics_coverage.py" + (" --quick" if quick else ""),
        "seed": SEED,
        "repeats": repeats,
        "normal": normal_data(10 * repeats),
        "crossed": rows,
        "cross_check": cross_checks,
        "failing_seeds": failing_seeds(repeats),
        "false_verdicts": false_verdicts(repeats),
        "exact": exact(),
        "planned_power": planned_power(repeats),
        "auroc": auroc_coverage(repeats // 5, stream),
        "hard": [
            *of_seeds_alone(repeats, stream),
            *ceilings(repeats, stream),
            *few_samples(repeats // 5, stream),
        ],
        "groups": groups(repeats // 5, stream),
        "retyped": retyped(10 * repeats, stream),
        "library": check_against_library(20 if quick else 400),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "about": {
            one.__name__: " ".join((one.__doc__ or "").split())
            for one in (failing_seeds, planned_power, exact, auroc_coverage, groups, retyped)
        },
        "processor": processor(),
    }
    results["targets"] = targets(results)
    results["seconds"] = round(time.process_time() - started, 1)
    return results


def processor() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def targets(results: dict[str, Any]) -> Rows:
    """What was promised, what came out, and whether it holds."""
    normal = [row["coverage"] for row in results["normal"]]
    power = [row["power"] for row in results["planned_power"]]
    flagged = [abs(row["flagged"] - row["flagged_expected"]) for row in results["failing_seeds"]]
    family = [row["rule"][way] for row in results["false_verdicts"] for way in ("stopping", "always")]
    rows = [_within("coverage, normal data, n = 3 to 20", normal, 0.94, 0.96)]
    for samples in (360, 10_000):
        some = [row["rule"] for row in results["crossed"] if row["samples"] == samples]
        rows.append(_within(f"coverage, seeds x {samples:,} test samples, n = 3 to 20", some, 0.93, 0.98))
    some = [row["rule"]["coverage"] for row in results["exact"] if row["level"] == 0.95]
    rows.append(_within("coverage, seeds agree on skewed 0/1 differences, exact", some, 0.94, 1.0))
    rates = [row["rule"]["false_verdict"] / (1 - row["level"]) for row in results["exact"]]
    rows.append(_within("false verdict at +delta there, share of the error rate", rates, 0.0, 1.1))
    rows.append(_within("any false verdict, eight claims, two looks", family, 0.0, 0.05))
    both = [row["both"] for row in results["auroc"]]
    rows.append(_within("coverage, AUROC with both sample axes", both, 0.93, 0.99))
    at_ceiling = [row["coverage"] for row in results["hard"] if row["kind"] == "ceiling"]
    rows.append(_within("coverage, arms at the ceiling, 360 images", at_ceiling, 0.93, 1.0))
    rates = [row["false"] / row["allowed"] for row in results["groups"]]
    rows.append(_within("false verdict, runs in two groups, share of the error rate", rates, 0.0, 1.0))
    rows.append(
        _within("any false verdict, delta retyped between looks", [results["retyped"]["counted"]], 0.0, 0.05)
    )
    rows.append(_within("power where 80 % was planned", power, 0.75, 0.85))
    rows.append(_within("some seeds fail: share flagged, distance from expectation", flagged, 0.0, 0.02))
    return rows


def _within(name: str, values: list[float], low: float, high: float) -> dict[str, Any]:
    smallest, largest = min(values), max(values)
    holds = low <= smallest and largest <= high
    return {"name": name, "target": [low, high], "smallest": smallest, "largest": largest, "holds": holds}


def main(arguments: list[str] | None = None) -> None:
    """Run, write coverage.json and coverage.md, print the targets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="few repeats: a smoke run, too few for the targets"
    )
    parser.add_argument("--out", type=Path, default=Path("results/statistics"), help="folder of the results")
    options = parser.parse_args(arguments)
    results = run(quick=options.quick)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "coverage.json").write_text(json.dumps(results, indent=1, allow_nan=False) + "\n")
    (options.out / "coverage.md").write_text(markdown(results))
    for row in results["targets"]:
        span = f"{percent(row['smallest'])} to {percent(row['largest'])}"
        print(f"{'holds' if row['holds'] else 'FAILS'}  {row['name']}: {span}")


if __name__ == "__main__":
    main()
