"""Texts with what each of their words adds, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study


def draw_texts(figure: Figure, arms: Sequence[Arm], study: Study) -> dict[str, Any]:
    """Texts of the first seed, spread over all, arm by arm: true and predicted class, and start, end and value of every word.

    They lie in the order of the data, which often has one class after the other, so the first ones would be of one class.
    """
    items: list[dict[str, Any]] = []
    for arm in arms:
        run = study.arms[arm.name][0]
        texts, words, seen = (run.table(name) for name in (figure.table, "words", "predictions"))
        names = [str(name) for name in run.facts["class_names"]]
        count = len(texts["index"])
        shown = min(figure.count, count)
        for place in ((2 * number + 1) * count // (2 * shown) for number in range(shown)):
            own = words["index"] == texts["index"][place]
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
