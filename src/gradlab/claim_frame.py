"""Claims as a data frame that prints whole: pandas cuts what does not fit its width."""

from __future__ import annotations

from typing import Any

import pandas as pd

SHOWN = ("id", "statement", "verdict", "shown")


class ClaimFrame(pd.DataFrame):
    """A data frame with one row a claim; where the columns that it shows are there, it prints two lines a claim."""

    @property
    def _constructor(self) -> type[ClaimFrame]:
        return ClaimFrame

    def __repr__(self) -> str:
        if not set(SHOWN) <= set(self.columns):
            return super().__repr__()
        return "\n".join(_lines(dict(row)) for _, row in self.iterrows())

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None, "display.max_columns", None):
            return self.to_html()


def _lines(claim: dict[str, Any]) -> str:
    return f"{claim['id']}: {claim['verdict']}, {claim['shown']}\n    {claim['statement']}"
