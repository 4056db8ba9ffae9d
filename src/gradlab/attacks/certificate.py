"""What a certificate says: the finding, its reasons with their remedies, and robust accuracy with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gradlab.statistics import Proportion

Verdict = Literal["valid", "suspect", "invalid"]


@dataclass(frozen=True)
class Reason:
    """A check that a network did not pass.

    Attributes:
        check: its name. finding: "suspect" where a better attack may find less robustness, "invalid" where the attacks
            were shown to fail, so that surviving them is no evidence.
        text: what was seen. remedy: what to do.
    """

    check: str
    finding: Literal["suspect", "invalid"]
    text: str
    remedy: str


@dataclass(frozen=True)
class Certificate:
    """What `certify` found about one network at one radius.

    Attributes:
        eps: radius on the [0, 1] pixel scale. norm: "linf" or "l2". images: how many were attacked.
        clean: share classified correctly as they are. robust: share that also withstood every attack, image by image; an
            upper bound of the true robust accuracy. Both with a 95 % interval over images (Wilson).
        attacks: share still right after each attack in turn; each attacks what the ones before it left.
        reasons: checks that were not passed. passed: names of those that were. skipped: name -> why it was not asked.
        budget: what was spent, in words.
    """

    eps: float
    norm: str
    images: int
    clean: Proportion
    robust: Proportion
    attacks: Mapping[str, float]
    reasons: tuple[Reason, ...]
    passed: tuple[str, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    budget: str = ""

    @property
    def finding(self) -> Verdict:
        """The gravest of the reasons; "valid" where there is none."""
        found = {reason.finding for reason in self.reasons}
        return "invalid" if "invalid" in found else "suspect" if found else "valid"

    @property
    def _changes(self) -> str:
        if self.norm == "linf":
            return f"L-infinity changes of {self.eps * 255:.3g}/255"
        return f"L2 changes of {self.eps:.3g}"

    def describe(self) -> str:
        """Say it in sentences, one a line."""
        told = [
            f"{self.finding}: robust accuracy at most {_said(self.robust)} against {self._changes}; "
            f"clean accuracy {_said(self.clean)}; {self.images:,} images.",
            f"Budget: {self.budget}.",
            "Still right after: "
            + ", ".join(f"{name} {share:.1%}" for name, share in self.attacks.items())
            + ".",
            *(f"{one.finding}, {one.check}: {one.text} {one.remedy}" for one in self.reasons),
            f"Passed: {', '.join(self.passed) or 'nothing'}.",
            *(f"Not asked, {name}: {why}" for name, why in self.skipped.items()),
        ]
        return "\n".join(told)

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        return {
            "finding": self.finding,
            **asdict(self),
            "attacks": dict(self.attacks),
            "skipped": dict(self.skipped),
        }


def _said(share: Proportion) -> str:
    return f"{share.estimate:.1%} [{share.low:.1%}, {share.high:.1%}]"
