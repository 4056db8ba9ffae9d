"""Explaining a classifier of texts word by word: `ExplainTexts`, what its runs write, and the work."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Column, Kind, Measure, Outcome
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress
from gradlab.procedures._predictions import PREDICTIONS, prediction_table, wrong_predictions
from gradlab.types import STRICT, Count

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gradlab.data import TextSplit
    from gradlab.lab.running.desk import Desk, Job

CLOSE = 1e-5
"""How far the values of a text may be from their stored sum, from rounding."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExplainTexts(Procedure):
    """Divide the logit of the predicted class among the words of some test texts, by integrated gradients.

    Attributes:
        net: the classifier, a run of text-finetune. data: whose test texts.
        texts: how many, drawn once with the class shares of the whole. steps: points on the way from the text without words.
    """

    kind: Literal["explain-texts"] = "explain-texts"
    net: Input
    data: DataName
    texts: Count = 40
    steps: Count = 64


def _work(procedure: ExplainTexts, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._text_judged import splits_of
    from gradlab.procedures.attack import chosen_rows

    data: Any = desk.data(procedure.data)
    test, rows = splits_of(data)["test"], chosen_rows(data, procedure.texts)
    for job in jobs:
        network = copy.deepcopy(job.network()).to(desk.device).eval()
        found = _explained(procedure, job, desk, network, test, rows)
        facts = {
            "status": "finished",
            "note": None,
            "parameters": sum(one.numel() for one in network.parameters()),
            "class_names": list(data.class_names),
            "texts": len(rows),
        }
        yield Outcome(facts, _tables(found, test, rows))


def _explained(
    procedure: ExplainTexts, job: Job, desk: Desk, network: nn.Module, test: TextSplit, rows: np.ndarray
) -> list[dict[str, Any]]:
    """Return a part a text: its words, what each adds, and how much the same words add with random weights."""
    import torch

    from gradlab.explain import randomise
    from gradlab.procedures.divided_texts import divided, likeness
    from gradlab.procedures.text_finetune import reading_of

    tokenizer, length = reading_of(job, network)
    other = copy.deepcopy(network)
    randomise(other, job.seed or 0)

    def part(number: int) -> Mapping[str, Tensor]:
        text = test.texts[int(rows[number])]
        one = divided(network, tokenizer, text, length, procedure.steps)
        random = divided(other, tokenizer, text, length, procedure.steps, one.chosen)
        share = (number + 1) / len(rows)
        desk.tell(Progress(share, f"explained {number + 1} of {len(rows)} texts", given=number / len(rows)))
        return {
            "spans": torch.tensor([(word.start, word.end) for word in one.words]).reshape(-1, 2),
            "values": torch.tensor(one.values, dtype=torch.float64),
            "logits": one.logits.float(),
            "sums": torch.tensor(
                [one.change, one.gap, likeness(one.values, random.values)], dtype=torch.float64
            ),
        }

    return desk.in_parts(f"texts-{job.seed}", len(rows), part)


def _tables(found: Sequence[Mapping[str, Tensor]], test: TextSplit, rows: np.ndarray) -> dict[str, Columns]:
    index = rows.astype(np.int32)
    labels = test.labels.cpu().numpy()[rows]
    logits = np.stack([one["logits"].numpy() for one in found])
    counts = [len(one["values"]) for one in found]
    spans = np.concatenate([one["spans"].numpy() for one in found])
    sums = np.stack([one["sums"].numpy() for one in found])
    return {
        "predictions": {**prediction_table(logits, labels), "index": index},
        "texts": {
            "index": index,
            "text": np.array([test.texts[int(row)] for row in rows], dtype=str),
            **dict(zip(("change", "gap", "similarity"), sums.T, strict=True)),
        },
        "words": {
            "index": np.repeat(index, counts),
            "start": spans[:, 0].astype(np.int32),
            "end": spans[:, 1].astype(np.int32),
            "value": np.concatenate([one["values"].numpy() for one in found]),
        },
    }


def _likenesses(run: Results) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and values of the texts that have words enough."""
    table = run.table("texts")
    known = np.isfinite(table["similarity"])
    return table["index"][known], table["similarity"][known].astype(np.float64)


def _mean(run: Results) -> float:
    values = _likenesses(run)[1]
    return float(values.mean()) if len(values) else float("nan")


def _samples(run: Results) -> Axes:
    index, values = _likenesses(run)
    return {run.axis("test", index): values}


LIKENESS = Measure(
    "similarity of words with random weights", "fraction", "neither", _mean, _samples, range=(-1, 1)
)
"""Rank correlation of the magnitudes of a text's words with those that the network gives with random weights."""


def _check(run: Results) -> list[str]:
    """Name what does not follow from the logits, or is not the sum of a text's words."""
    wrong, texts, words = wrong_predictions(run), run.table("texts"), run.table("words")
    if all(name in texts for name in ("index", "change", "gap")) and "value" in words:
        sums = np.array([words["value"][words["index"] == row].sum() for row in texts["index"]])
        if not np.allclose(sums, texts["change"] + texts["gap"], rtol=CLOSE, atol=CLOSE):
            wrong.append("value")
    return wrong


EXPLAIN_TEXTS = Kind(
    name="explain-texts",
    title="explanation of texts",
    configuration=ExplainTexts,
    reads="text",
    work=_work,
    tables={
        "predictions": {name: PREDICTIONS[name] for name in ("label", "prediction")},
        "texts": {"similarity": Column("similarity with random weights", "fraction", (-1, 1))},
        "words": {"value": Column("what the word adds to the logit")},
    },
    measures={LIKENESS.name: LIKENESS},
    check=_check,
    describe=lambda procedure, run: {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['texts']:,} texts",
        "recipe": f"integrated gradients with {procedure.steps} steps",
    },
    cost=lambda procedure, _: 2.0 * procedure.texts * procedure.steps / 16,
    software=("torch", "transformers", "tokenizers", "peft"),
)
