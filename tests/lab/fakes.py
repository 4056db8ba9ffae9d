"""Runs made by hand and designs of a few lines, so that what is computed from them can be recomputed in the test."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from gradlab.lab.design import Arm, Claim, Confusion, Curve, Design, Gallery, Line, Part, Table
from gradlab.lab.evaluate import Context
from gradlab.models.mlp import MLP
from gradlab.statistics import difference
from gradlab.training.recipe import Recipe

LABELS = np.arange(200) % 4
RECIPE = Recipe(epochs=3, batch_size=64, learning_rate=1e-2)


def fake_run(accuracy: float, seed: int = 0, *, epochs: int = 3, **facts: Any) -> Any:
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
        "best_epoch": int(rng.integers(1, epochs + 1)),
        "parameters": 100 + seed * 0,
        "input_shape": [1, 8, 8],
        "class_names": ["a", "b", "c", "d"],
        "test": {
            "cross_entropy": float(losses.astype(float).mean()),
            "calibration_error": float(rng.random()),
        },
        "provenance": {
            "gradlab": "1",
            "python": "3",
            "torch": "2",
            "commit": None,
            "processor": "p",
            "date": "d",
        },
        "cost": {"seconds": 1.5 + seed, "peak_memory_mb": 10.0 * (seed + 1)},
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
    return SimpleNamespace(
        labels=LABELS,
        predictions=predictions,
        losses=losses,
        epochs=log,
        gradients=gradients,
        probes=probes,
        errors=errors,
        facts=told | facts,
        hash=f"{seed:020d}",
        digest=f"{seed:064d}",
    )


def arm(name: str, model: MLP | None = None, recipe: Recipe = RECIPE, **factors: str | int | float) -> Arm:
    return Arm(name=name, label=f"the {name}", factors=factors, model=model or MLP(width=4), recipe=recipe)


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
        look=look,
        precision="fp32",
        device="cpu",
        threads=1,
        command="gradlab run tiny",
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
            Line(name="depths", title="t", caption="c", x="depth", y="test accuracy", by="kind"),
            Curve(
                name="curves",
                title="t",
                caption="c",
                source="epochs",
                x="epoch",
                y="train_loss",
                by="kind",
                panel="depth",
            ),
            Confusion(name="confusion", title="t", caption="c", arm="skip-2"),
            Gallery(name="errors", title="t", caption="c", arm="skip-2"),
        ),
    )
