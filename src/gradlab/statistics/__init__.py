"""Intervals, exact tests and verdicts on paired seeds; no torch."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

if TYPE_CHECKING:
    from gradlab.statistics.balanced_accuracy_interval import BalancedAccuracy as BalancedAccuracy
    from gradlab.statistics.balanced_accuracy_interval import (
        balanced_accuracy_interval as balanced_accuracy_interval,
    )
    from gradlab.statistics.contrast import Contrast as Contrast
    from gradlab.statistics.contrast import against as against
    from gradlab.statistics.contrast import difference as difference
    from gradlab.statistics.contrast import difference_of_differences as difference_of_differences
    from gradlab.statistics.contrast import ratio as ratio
    from gradlab.statistics.contrast import slope as slope
    from gradlab.statistics.contrast_values import contrast_values as contrast_values
    from gradlab.statistics.differences import Differences as Differences
    from gradlab.statistics.interval import Interval as Interval
    from gradlab.statistics.interval import interval as interval
    from gradlab.statistics.interval import interval_again as interval_again
    from gradlab.statistics.jackknife import Influence as Influence
    from gradlab.statistics.jackknife import jackknife as jackknife
    from gradlab.statistics.jackknife import pseudo_values as pseudo_values
    from gradlab.statistics.judge import judge as judge
    from gradlab.statistics.judge_every import Part as Part
    from gradlab.statistics.judge_every import judge_every as judge_every
    from gradlab.statistics.judgement import Judgement as Judgement
    from gradlab.statistics.looks import alpha_at as alpha_at
    from gradlab.statistics.mcnemar import McNemar as McNemar
    from gradlab.statistics.mcnemar import mcnemar as mcnemar
    from gradlab.statistics.more_seeds import MoreSeeds as MoreSeeds
    from gradlab.statistics.more_seeds import more_seeds as more_seeds
    from gradlab.statistics.outlying_seed import outlying_seed as outlying_seed
    from gradlab.statistics.plan import Plan as Plan
    from gradlab.statistics.plan import plan as plan
    from gradlab.statistics.proportions import Proportion as Proportion
    from gradlab.statistics.proportions import clopper_pearson as clopper_pearson
    from gradlab.statistics.proportions import wilson as wilson
    from gradlab.statistics.ratio_samples import ratio_samples as ratio_samples
    from gradlab.statistics.reading import reading as reading
    from gradlab.statistics.sampled import Sampled as Sampled
    from gradlab.statistics.sampled import correctness as correctness
    from gradlab.statistics.sign_flip import sign_flip as sign_flip
    from gradlab.statistics.sign_flip import smallest_p as smallest_p
    from gradlab.statistics.subset_samples import SampleAxis as SampleAxis
    from gradlab.statistics.subset_samples import on_shared_rows as on_shared_rows
    from gradlab.statistics.verdict import Kind as Kind
    from gradlab.statistics.verdict import Verdict as Verdict
    from gradlab.statistics.verdict import verdict as verdict

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "BalancedAccuracy": "balanced_accuracy_interval",
        "Contrast": "contrast",
        "Differences": "differences",
        "Influence": "jackknife",
        "Interval": "interval",
        "Judgement": "judgement",
        "Kind": "verdict",
        "McNemar": "mcnemar",
        "MoreSeeds": "more_seeds",
        "Part": "judge_every",
        "Plan": "plan",
        "Proportion": "proportions",
        "SampleAxis": "subset_samples",
        "Sampled": "sampled",
        "Verdict": "verdict",
        "against": "contrast",
        "alpha_at": "looks",
        "balanced_accuracy_interval": "balanced_accuracy_interval",
        "clopper_pearson": "proportions",
        "contrast_values": "contrast_values",
        "correctness": "sampled",
        "difference": "contrast",
        "difference_of_differences": "contrast",
        "interval": "interval",
        "interval_again": "interval",
        "jackknife": "jackknife",
        "judge": "judge",
        "judge_every": "judge_every",
        "mcnemar": "mcnemar",
        "more_seeds": "more_seeds",
        "on_shared_rows": "subset_samples",
        "outlying_seed": "outlying_seed",
        "plan": "plan",
        "pseudo_values": "jackknife",
        "ratio": "contrast",
        "ratio_samples": "ratio_samples",
        "reading": "reading",
        "sign_flip": "sign_flip",
        "slope": "contrast",
        "smallest_p": "sign_flip",
        "verdict": "verdict",
        "wilson": "proportions",
    },
)
