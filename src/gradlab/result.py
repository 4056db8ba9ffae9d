"""What `gradlab.run` returns: claims and tables as data frames, shown as a page in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from gradlab.lab.records.record import Record

CLAIM_COLUMNS = (
    "id",
    "statement",
    "verdict",
    "measure",
    "unit",
    "estimate",
    "low",
    "high",
    "delta",
    "level",
    "look",
    "n",
    "same_setting",
    "shown",
)


@dataclass(frozen=True)
class Result:
    """A finished study.

    Attributes:
        results: the content of results.json. folder: of the report.
    """

    results: dict[str, Any]
    folder: Path

    @property
    def report(self) -> Path:
        """Path of the report's page."""
        return self.folder / "report.html"

    @property
    def answer(self) -> str:
        """The study's answer in a sentence or two."""
        return str(self.results["answer"])

    @property
    def claims(self) -> pd.DataFrame:
        """One row a claim: verdict, estimate and interval of what was compared, and as a report shows them; it prints whole."""
        from gradlab.claim_frame import ClaimFrame
        from gradlab.report.levels import as_read, told

        rows = [
            {**claim, "low": claim["interval"][0], "high": claim["interval"][1], "shown": told(read)}
            for claim, read in zip(self.results["claims"], as_read(self.results), strict=True)
        ]
        return ClaimFrame(rows, columns=list(CLAIM_COLUMNS))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The study's tables by name."""
        import pandas as pd

        return {
            name: pd.DataFrame(table["rows"], columns=table["columns"])
            for name, table in self.results["tables"].items()
        }

    def record(self, arm: str, seed: int) -> Record:
        """Open the record of one arm at one seed; `gradlab.use.network` gives its network."""
        from gradlab.lab.records.record import load
        from gradlab.types import UserError

        for run in self.results["runs"]:
            if run["arm"] == arm and run["seed"] == seed:
                return load(self.folder.parent.parent / "records" / run["record"])
        arms = ", ".join(one["name"] for one in self.results["arms"])
        raise UserError(
            f"no run of arm '{arm}' at seed {seed}; arms are {arms}, seeds {self.results['seeds']}."
        )

    def __str__(self) -> str:
        return f"{self.results['question']}\n{self.answer}\nReport: {self.report}"

    def _repr_html_(self) -> str:
        from gradlab.report import claims_html, table_html

        return claims_html(self.results) + "".join(
            table_html(table) for table in self.results["tables"].values()
        )
