"""Texts with what each of their words adds, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study


def draw_texts(figure: Figure, arms: Sequence[Arm], study: Study) -> dict[str, Any]:
    """The first texts of the first seed, arm by arm: true and predicted class, and start, end and value of every word."""
    items: list[dict[str, Any]] = []
    for arm in arms:
        run = study.arms[arm.name][0]
        texts, words, seen = (run.table(name) for name in (figure.table, "words", "predictions"))
        names = [str(name) for name in run.facts["class_names"]]
        for place, row in enumerate(texts["index"][: figure.count]):
            own = words["index"] == row
            columns = (words[name][own].tolist() for name in ("start", "end", "value"))
            items.append(
                {
                    "text": str(texts["text"][place]),
                    "label": names[int(seen["label"][place])],
                    "prediction": names[int(seen["prediction"][place])],
                    "words": [
                        [start, end, round(value, 4)] for start, end, value in zip(*columns, strict=True)
                    ],
                    **({"note": arm.label} if len(arms) > 1 else {}),
                }
            )
    return {"kind": "texts", "items": items}
