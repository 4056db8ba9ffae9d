"""A verdict with everything it rests on, readable as text, in a notebook and as a JSON record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradlab.statistics import _html
from gradlab.statistics._words import interval_text, measured, percent, with_unit
from gradlab.statistics.interval import Interval
from gradlab.statistics.more_seeds import MoreSeeds
from gradlab.statistics.verdict import Kind, Verdict


@dataclass(frozen=True)
class Judgement:
    """The verdict on one claim.

    `reading` says what the interval shows, in words, whatever the claim is; `explanation` how it lies to the region
    that the claim names (`kind`). `interval` is the one that decided, at `level`. `sign_flip` is the exact p-value
    against `sign_flip_boundary`; it decides nothing, below six seeds it cannot reach 0.05 and `flags` say so, and it is
    NaN for a given network, which has no seeds. `more_seeds` is None where the claim is settled. `learned` counts
    the runs of each arm that learned, (k, n), and `among_learned` is the mean difference over the seeds where every
    run did. `parts` are the judgements of a claim that must hold in every part, and `weakest` names the part
    whose estimate and interval stand here.
    """

    kind: Kind
    verdict: Verdict
    reading: str
    explanation: str
    delta: float
    unit: str
    look: int
    interval: Interval
    sign_flip: float
    sign_flip_boundary: float
    more_seeds: MoreSeeds | None = None
    flags: tuple[str, ...] = ()
    learned: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    among_learned: float | None = None
    parts: Mapping[str, Judgement] = field(default_factory=dict)
    weakest: str | None = None

    @property
    def estimate(self) -> float:
        """Mean difference, in the measure's unit."""
        return self.interval.estimate

    @property
    def low(self) -> float:
        """Lower end of the interval; -inf where unbounded."""
        return self.interval.low

    @property
    def high(self) -> float:
        """Upper end of the interval; inf where unbounded."""
        return self.interval.high

    @property
    def level(self) -> float:
        """Level of the interval that decided."""
        return self.interval.level

    @property
    def n(self) -> int:
        """Number of paired seeds; of draws where the network is given."""
        return self.interval.n

    @property
    def samples(self) -> int | None:
        """Number of test samples; None where only one value per seed was given."""
        return self.interval.samples

    @property
    def seed_share(self) -> float | None:
        """Share of the variance that comes from the seeds, in [0, 1]."""
        return self.interval.seed_share

    def as_record(self) -> dict[str, Any]:
        """Return the judgement as JSON values; null stands for an unbounded end and for what is not known."""
        bounded = self.interval.is_bounded
        record: dict[str, Any] = {
            "kind": self.kind,
            "verdict": self.verdict,
            "reading": self.reading,
            "explanation": self.explanation,
            "delta": self.delta,
            "unit": self.unit,
            "level": self.level,
            "look": self.look,
            "estimate": self.estimate,
            "interval": [self.low, self.high] if bounded else [None, None],
            "rule": self.interval.rule,
            "n": self.n,
            "samples": self.samples,
            "seed_variance": self.interval.seed_variance if bounded else None,
            "sample_variance": self.interval.sample_variance if bounded else None,
            "seed_share": self.seed_share,
            "degrees_of_freedom": self.interval.degrees_of_freedom,
            "sign_flip": None if self.interval.given else self.sign_flip,
            "sign_flip_boundary": self.sign_flip_boundary,
            "more_seeds": None if self.more_seeds is None else self.more_seeds.text,
            "flags": list(self.flags),
        }
        if self.parts:
            record["weakest"] = self.weakest
            record["parts"] = [{"label": label, **part.as_record()} for label, part in self.parts.items()]
        return record | self._beyond_seeds()

    def _beyond_seeds(self) -> dict[str, Any]:
        """What stands in the record only where it is said: several axes, a given network, runs that learned."""
        axes = self.interval.axes
        said: dict[str, Any] = {}
        if len(axes) > 1:
            said["axes"] = {axis.name: axis.samples for axis in axes}
        if self.interval.given:
            said["given"] = True
        if self.learned:
            said["learned"] = {arm: list(count) for arm, count in self.learned.items()}
            said["among_learned"] = self.among_learned
        return said

    def __str__(self) -> str:
        """Verdict, reading, and one line for each thing that it rests on."""
        lines = [
            f"{self.verdict}: {self.reading}",
            f"  {self.explanation}",
            *(f"  {name}: {text}" for name, text in self._rows()),
        ]
        lines += [f"  note: {flag}" for flag in self.flags]
        lines += [f"  {label}: {part.verdict}: {part.reading}" for label, part in self.parts.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same for a notebook, with the interval drawn against -delta, 0 and +delta."""
        return _html.judgement(
            self.verdict,
            self.reading,
            _html.interval_svg(self.low, self.high, self.estimate, self.delta),
            [("interval", self.explanation), *self._rows(), *(("note", flag) for flag in self.flags)],
            [(label, part.verdict, part.reading) for label, part in self.parts.items()],
        )

    def _interval_text(self) -> str:
        if not self.interval.is_bounded:
            return "no interval"
        return f"{percent(self.level)} interval {interval_text(self.low, self.high, self.unit)}"

    def _data(self) -> str:
        seeds = f"{self.n} paired seed{'' if self.n == 1 else 's'}"
        if self.interval.given:
            seeds = "one given network" if self.n == 1 else f"one given network, {self.n} draws"
        axes = self.interval.axes
        if len(axes) < 2:
            return ", ".join([seeds, *(f"{axis.samples} test samples" for axis in axes)])
        return ", ".join([seeds, *(f"{axis.samples} of {axis.name}" for axis in axes)])

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            (
                "estimate",
                f"{measured(self.estimate, self.high - self.low, self.unit)}, {self._interval_text()}",
            ),
            ("smallest difference that matters", with_unit(self.delta, self.unit)),
            ("data", self._data()),
        ]
        if not self.interval.given:
            rows.append(("sign-flip", f"p = {self.sign_flip:.3g} against {self.sign_flip_boundary:+g}"))
        if self.seed_share is not None and self.samples is not None and not self.interval.given:
            rows.append(("variance from seeds", f"{100 * self.seed_share:.0f} %"))
        if self.more_seeds is not None:
            rows.append(("to settle it", self.more_seeds.text))
        return rows
