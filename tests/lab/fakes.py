"""Trainings made by hand and designs of a few lines, so that what is computed from them can be recomputed in the test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from gradlab.lab import Arm, Claim, Design, Figure, Kind, Part, Table
from gradlab.lab.designing.procedure import dump_procedure
from gradlab.lab.judging.evaluate import Context, Study
from gradlab.lab.judging.look import Look
from gradlab.lab.judging.results import Results
from gradlab.lab.records.binding import Bound, Conditions
from gradlab.models.mlp import MLP
from gradlab.procedures import PROCEDURES
from gradlab.procedures.train import Custom, Train
from gradlab.statistics import difference
from gradlab.training.recipe import Recipe

LABELS = np.arange(200) % 4
RECIPE = Recipe(epochs=3, batch_size=64, learning_rate=1e-2)


@dataclass
class FakeRun:
    """A run whose tables are at hand."""

    hash: str
    facts: dict[str, Any]
    made: dict[str, Any]
    tables: dict[str, dict[str, np.ndarray]]
    spec: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return self.hash * 3

    @property
    def predictions(self) -> np.ndarray:
        return self.tables["predictions"]["prediction"]

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        return self.tables["gradients"]

    @property
    def epochs(self) -> dict[str, np.ndarray]:
        return self.tables["epochs"]

    def table(self, name: str) -> dict[str, np.ndarray]:
        return self.tables.get(name, {})


def fake_run(
    accuracy: float, seed: int = 0, *, epochs: int = 3, made: Mapping[str, Any] | None = None, **facts: Any
) -> FakeRun:
    """A run that gets about `accuracy` of 200 images of 4 classes right; everything else follows from the seed."""
    rng = np.random.default_rng([seed, round(1e6 * accuracy)])
    hit = rng.random(len(LABELS)) < accuracy
    predictions = np.where(hit, LABELS, (LABELS + rng.integers(1, 4, len(LABELS))) % 4)
    log = {"epoch": np.arange(1, epochs + 1), "validation_accuracy": rng.random(epochs)}
    log["validation_loss"] = rng.random(epochs)
    norms = 10.0 ** rng.uniform(-6, 2, 16)
    layers = ["stem.0", "blocks.0.branch.0", "blocks.1.branch.0", "head"]
    gradients = {
        "time": np.array(["start"] * 8 + ["end"] * 8),
        "layer": np.array([name for name in layers for _ in range(2)] * 2),
        "index": np.array([index for index in range(4) for _ in range(2)] * 2),
        "kind": np.array(["weight", "bias"] * 8),
        "norm": norms,
    }
    wrong = np.flatnonzero(predictions != LABELS)[:3]
    errors = {
        "index": wrong,
        "label": LABELS[wrong],
        "prediction": predictions[wrong],
        "confidence": rng.random(len(wrong)),
        "png": np.array([f"png{index}" for index in wrong], dtype=str),
    }
    losses = rng.exponential(0.3, len(LABELS)).astype(np.float32)
    told = {
        "status": "finished",
        "note": None,
        "epochs": epochs,
        "max_epochs": epochs,
        "start": f"start of seed {seed}",
        "best_epoch": int(rng.integers(1, epochs + 1)),
        "parameters": 100,
        "input_shape": [1, 8, 8],
        "class_names": ["a", "b", "c", "d"],
        "test": {
            "cross_entropy": float(losses.astype(float).mean()),
            "calibration_error": float(rng.random()),
        },
    }
    probes = {
        "step": np.repeat([0, 10, 30], 4),
        "layer": np.array(layers * 3),
        "index": np.tile(np.arange(4), 3),
        "weight_gradient": 10.0 ** rng.uniform(-6, 2, 12),
        "bias_gradient": np.full(12, np.nan),
        "activation_scale": rng.random(12),
        "dead": rng.random(12),
        "update_ratio": np.full(12, 0.01),
    }
    told_how = {"gradlab": "1", "python": "3", "torch": "2", "commit": None, "processor": "p", "date": "d"}
    cost = {"seconds": 1.5 + seed, "peak_memory_mb": 10.0 * (seed + 1)}
    return FakeRun(
        hash=f"{round(1e6 * accuracy):010d}{seed:010d}",
        facts=told | facts,
        made=told_how | cost | dict(made or {}),
        tables={
            "predictions": {"label": LABELS, "prediction": predictions, "loss": losses},
            "epochs": log,
            "gradients": gradients,
            "probes": probes,
            "errors": errors,
        },
    )


def results(run: FakeRun, **more: Any) -> Results:
    """Return a run as measures see it."""
    return Results(
        _of(run, Train(data="made", model=MLP(width=4), recipe=RECIPE)), PROCEDURES["train"], **more
    )


def _of(run: FakeRun, procedure: Train) -> FakeRun:
    run.spec = {
        "procedure": dump_procedure(procedure),
        "content": {"made": "sha256:0"},
        "software": {"torch": "2"},
    }
    return run


def study(
    made: Design,
    runs: Mapping[str, Sequence[FakeRun]],
    asked: Context,
    kinds: Mapping[str, Kind] = PROCEDURES,
) -> Study:
    """Return a design with a run for every arm, in the order of the seeds."""
    bound, opened = {}, {}
    for arm in made.arms:
        for seed, run in zip(asked.seeds, runs[arm.name], strict=True):
            name = f"{arm.name}-{run.hash}"
            bound[arm.name, seed] = Bound(arm.procedure, seed, name, {}, {})
            opened[name] = _of(FakeRun(name, run.facts, run.made, run.tables), arm.procedure)
    return Study(made, asked, bound, opened, kinds)


def looked(made: Design, asked: Context) -> Context:
    """Return the context in which every claim of a design is looked at for that time."""
    look = replace(asked.looks[""], among=len(made.claims))
    return replace(asked, looks={claim.id: look for claim in made.claims})


def opened(made: Design, runs: Mapping[str, Sequence[FakeRun]], asked: Context) -> Any:
    """Return the same as `evaluate` takes it."""
    whole = study(made, runs, asked)
    return SimpleNamespace(bound=whole.bound, runs=whole.runs)


def arm(
    name: str,
    model: MLP | Custom | None = None,
    recipe: Recipe = RECIPE,
    *,
    data: str = "digits",
    **factors: str | int | float,
) -> Arm:
    procedure = Train(data=data, model=model or MLP(width=4), recipe=recipe)
    return Arm(name=name, label=f"the {name}", factors=factors, procedure=procedure)


def part(a: str, b: str, *, measure: str = "test accuracy", delta: float = 0.01, label: str = "part") -> Part:
    return Part(label=label, measure=measure, contrast=difference(a, b), delta=delta)


def claim(name: str, *parts: Part, **more: Any) -> Claim:
    return Claim(id=name, statement=f"statement of {name}", parts=parts, **more)


def design(arms: tuple[Arm, ...], *claims: Claim, **more: Any) -> Design:
    texts = {"study": "tiny", "title": "t", "question": "Does it?", "background": "b", "setting": "s"}
    empty: dict[str, Any] = {
        "setting_text": "s",
        "deviations": (),
        "parameters": {},
        "tables": (),
        "figures": (),
    }
    return Design(**(texts | empty | {"arms": arms, "claims": claims} | more))


def context(seeds: tuple[int, ...], *, look: int = 1) -> Context:
    return Context(
        preset="quick",
        data="made",
        data_checksum="sha256:0",
        seeds=seeds,
        looks={"": Look(number=look, among=1, deltas=(), repeats=())},
        command="gradlab run tiny",
        conditions=Conditions(
            device="cpu",
            precision="fp32",
            threads=1,
            checksums={"digits": "sha256:0"},
            software={"torch": "2"},
            versions={"train": 1},
        ),
    )


def small_design(epochs: int = 2, width: int = 4, **recipe: Any) -> Design:
    """Two tiny arms with everything that a study can ask for."""
    made = Recipe(epochs=epochs, batch_size=64, learning_rate=1e-2, **recipe)
    arms = tuple(
        arm(
            f"{kind}-{depth}",
            MLP(width=width, depth=depth, residual=kind == "skip"),
            made,
            kind=kind,
            depth=depth,
        )
        for depth in (1, 2)
        for kind in ("plain", "skip")
    )
    both = [part(f"skip-{depth}", f"plain-{depth}", label=f"depth {depth}") for depth in (1, 2)]
    flow = part("skip-2", "plain-2", measure="gradient flow at the start", delta=1.0)
    return design(
        arms,
        claim("T-1", *both),
        claim("T-2", flow),
        tables=(
            Table(
                name="accuracy", title="t", caption="c", measures=("test accuracy", "best epoch", "test loss")
            ),
        ),
        figures=(
            Figure(name="depths", title="t", caption="c", x="depth", y="test accuracy", by="kind"),
            Figure(
                name="curves",
                title="t",
                caption="c",
                table="epochs",
                x="epoch",
                y="train_loss",
                by="kind",
                panel="depth",
            ),
            Figure(
                name="confusion",
                title="t",
                caption="c",
                mark="matrix",
                table="predictions",
                x="prediction",
                y="label",
                where={"arm": "skip-2"},
            ),
            Figure(
                name="errors", title="t", caption="c", mark="gallery", table="errors", where={"arm": "skip-2"}
            ),
        ),
    )
