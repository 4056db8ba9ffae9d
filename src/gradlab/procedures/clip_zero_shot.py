"""Asking a CLIP for classes by their names: `ClipZeroShot`, what its runs write, and the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gradlab._configuration import dataclass
from gradlab.clip.prompts import PHOTO
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Kind, Outcome
from gradlab.lab.running.desk import Progress
from gradlab.procedures._costs import COSTS
from gradlab.procedures._predictions import (
    PREDICTIONS,
    SCORES,
    has_learned,
    prediction_table,
    scores,
    wrong_predictions,
)
from gradlab.procedures.pretrained_clip import SOFTWARE, clip_below, need_clip, source_of, test_of
from gradlab.types import STRICT

if TYPE_CHECKING:
    from gradlab.clip import CLIPClassifier
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClipZeroShot(Procedure):
    """Name the classes of test images by a CLIP and the classes' names; nothing is trained, and nothing is random.

    As an input of other runs, such as explanations, it is a classifier of these classes.

    Attributes:
        net: the CLIP. data: whose test images and class names. templates: of the prompts; a learned prompt has its own.
        groups: whether a prompt names the group of its class where that is known, as in "shark, a type of fish".
    """

    kind: Literal["clip-zero-shot"] = "clip-zero-shot"
    net: Input
    data: DataName
    templates: tuple[str, ...] = PHOTO
    groups: bool = True


def words_for(groups: bool, class_names: Sequence[str]) -> list[str]:
    """Return the words of every class that go into its prompts, with its group where that is known and asked for."""
    from gradlab.clip.prompts import described, spoken

    return [described(name) if groups else spoken(name) for name in class_names]


def _work(procedure: ClipZeroShot, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.clip import CLIPClassifier
    from gradlab.training.predict import predict_logits

    data = desk.data(procedure.data)
    test = test_of(data)
    for job in jobs:
        clip = need_clip(job)
        classifier = CLIPClassifier(clip, words_for(procedure.groups, data.class_names), procedure.templates)
        desk.tell(Progress(0.1, f"{data.num_classes} classes by their names"))
        precision: Any = desk.precision
        logits = predict_logits(classifier, test.to(desk.device), precision=precision).float().cpu().numpy()
        desk.tell(Progress(1.0, f"predicted {len(test):,} images"))
        labels = test.labels.cpu().numpy()
        facts = {
            "status": "finished",
            "note": None,
            "parameters": sum(one.numel() for one in clip.parameters()),
            "class_names": list(data.class_names),
            "prompt": clip.template,
            "source": source_of(job),
            "test": scores(logits, labels),
        }
        yield Outcome(facts, {"predictions": prediction_table(logits, labels)})


def _network(record: Record, desk: Desk, store: Store) -> CLIPClassifier:
    """Build the classifier that a run asked: the CLIP below, with the classes' names."""
    from pydantic import TypeAdapter

    from gradlab.clip import CLIPClassifier

    own = record.spec["procedure"]
    words = words_for(own["groups"], record.facts["class_names"])
    templates = TypeAdapter(tuple[str, ...]).validate_python(own["templates"])
    return CLIPClassifier(clip_below(record, desk, store), words, templates)


def _describe(procedure: ClipZeroShot, run: Results) -> dict[str, Any]:
    count = len(procedure.templates)
    told = (
        "its learned prompt" if run.facts["prompt"] else f"{count} prompt{'s' if count > 1 else ''} a class"
    )
    return {
        "parameters": run.facts["parameters"],
        "layers": f"CLIP, asked for {len(run.facts['class_names'])} classes by {told}",
        "recipe": "nothing is trained on these classes",
    }


def _cost(procedure: ClipZeroShot, counts: Mapping[str, Mapping[str, int]]) -> float:
    return counts[procedure.data].get("test", 1) / 128


CLIP_ZERO_SHOT = Kind(
    name="clip-zero-shot",
    title="zero-shot classification",
    configuration=ClipZeroShot,
    reads="images",
    work=_work,
    tables={"predictions": PREDICTIONS},
    measures={one.name: one for one in (*SCORES, *COSTS)},
    learned=has_learned,
    check=wrong_predictions,
    describe=_describe,
    network=_network,
    draws=False,
    cost=_cost,
    software=SOFTWARE,
)
