"""Hand-made results: a realistic study of twelve arms and six seeds, and the smallest one that is allowed."""

# ruff: noqa: E501 - data reads better in one line

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

KINDS = {"plain": "plain", "one": "residual, one layer", "two": "residual, two layers"}
DEPTHS = (2, 8, 32, 64)
SEEDS = list(range(6))
MEANS = {
    "plain": (0.931, 0.889, 0.121, 0.1135),
    "one": (0.9392, 0.9478, 0.9507, 0.402),
    "two": (0.9338, 0.9489, 0.9592, 0.9619),
}


def smallest(**more: Any) -> dict[str, Any]:
    """Make results with nothing optional in them."""
    return {"format": 1, "study": "tiny", "question": "Does it work?", "data": "digits", "seeds": [0], **more}


def claim(**more: Any) -> dict[str, Any]:
    """Make a claim: 40 points, supported."""
    made = {
        "id": "C003-01", "statement": "Plain nets fail with depth.", "measure": "test accuracy", "unit": "fraction",
        "delta": 0.01, "level": 0.9933, "look": 1, "estimate": 0.40, "interval": [0.38, 0.42], "n": 6, "samples": 10000,
        "verdict": "supported", "explanation": "The interval lies above δ.", "same_setting": True, "kind": "more",
        "reading": "better, by more than a point",
    }  # fmt: skip
    return {**made, **more}


def lines(**more: Any) -> dict[str, Any]:
    """Make the smallest figure of lines."""
    series = {"name": "plain", "x": [1, 2], "y": [0.1, 0.9], "low": None, "high": None, "points": None}
    made = {
        "name": "curve", "kind": "lines", "title": "Curve", "caption": "Look at it.", "x": {"label": "epoch"},
        "y": {"label": "accuracy", "percent": True, "range": [0, 1]}, "panels": [{"title": "", "series": [series]}],
    }  # fmt: skip
    return {**made, **more}


def png(side: int = 8, seed: int = 0) -> str:
    """Make a grey PNG in base64."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / (side - 1) - 0.5
    ring = np.exp(-(((np.hypot(x * (1 + seed % 3 / 4), y) - 0.3) / 0.1) ** 2)) * 235
    pixels = np.clip(ring + rng.normal(0, 8, (side, side)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return base64.b64encode(stream.getvalue()).decode()


def _accuracy(kind: str, depth: int) -> list[float]:
    rng = np.random.default_rng([len(kind), depth])
    mean = MEANS[kind][DEPTHS.index(depth)]
    values = mean + rng.normal(0, 0.0035, len(SEEDS))
    if (kind, depth) == ("plain", 32):
        values = np.array([0.1135, 0.1135, 0.1028, 0.2101, 0.1135, 0.0958])
    if (kind, depth) == ("one", 64):
        values = np.array([0.353, 0.871, 0.1135, 0.114, 0.846, 0.113])
    return [round(float(v), 4) for v in values]


def _table() -> dict[str, Any]:
    rows = []
    for kind, name in KINDS.items():
        for depth in DEPTHS:
            values = _accuracy(kind, depth)
            half = 2.57 * float(np.std(values, ddof=1)) / len(values) ** 0.5 + 0.002
            mean = float(np.mean(values))
            trained = sum(v > 0.3 for v in values)
            rows.append(
                [
                    name,
                    depth,
                    12730 + 272 * depth,
                    mean,
                    mean - half,
                    min(1.0, mean + half),
                    trained,
                    6,
                    values,
                ]
            )
    return {
        "title": "Test accuracy by depth", "rows": rows,
        "caption": "Mean over seeds with its 95% interval (seeds and test images), and each seed as a dot.",
        "columns": ["arm", "depth", "parameters", "accuracy", "low", "high", "trained", "runs", "values"],
        "display": [
            {"header": "Arm", "kind": "text", "columns": ["arm"]},
            {"header": "Depth", "kind": "int", "columns": ["depth"]},
            {"header": "Parameters", "kind": "int", "columns": ["parameters"]},
            {"header": "Test accuracy", "kind": "interval", "columns": ["accuracy", "low", "high"], "scale": "percent"},
            {"header": "Each seed", "kind": "points", "columns": ["values"], "scale": "percent"},
            {"header": "Trained", "kind": "ratio", "columns": ["trained", "runs"]},
        ],
    }  # fmt: skip


def _learning_curves() -> dict[str, Any]:
    epochs, panels = list(range(22)), []
    for depth in DEPTHS:
        series = []
        for kind, name in KINDS.items():
            end = MEANS[kind][DEPTHS.index(depth)]
            y = [0.1 + (end - 0.1) * (1 - np.exp(-e / (1.5 + depth / 16))) for e in epochs]
            wide = 0.25 if (kind, depth) == ("one", 64) else 0.012
            series.append({
                "name": name, "x": epochs, "y": y, "points": None, "low": [max(0.0, v - wide * e / 21) for e, v in zip(epochs, y, strict=True)],
                "high": [min(1.0, v + wide * e / 21) for e, v in zip(epochs, y, strict=True)],
            })  # fmt: skip
        panels.append({"title": f"depth {depth}", "series": series})
    return {
        "name": "learning-curves", "kind": "lines", "title": "Learning curves", "panels": panels,
        "caption": "Validation accuracy by epoch; line: mean over seeds, band: its interval. At depth 32 and 64 the plain net "
        "never leaves chance, and at 64 the seeds of the one-layer residual net fall in two groups.",
        "x": {"label": "epoch", "scale": "linear"}, "y": {"label": "validation accuracy", "scale": "linear", "percent": True, "range": [0, 1]},
    }  # fmt: skip


def _by_depth() -> dict[str, Any]:
    series = []
    for kind, name in KINDS.items():
        values = [_accuracy(kind, d) for d in DEPTHS]
        means = [float(np.mean(v)) for v in values]
        half = [2.57 * float(np.std(v, ddof=1)) / 6**0.5 + 0.002 for v in values]
        series.append({
            "name": name, "x": list(DEPTHS), "y": means, "low": [m - h for m, h in zip(means, half, strict=True)],
            "high": [min(1.0, m + h) for m, h in zip(means, half, strict=True)],
            "points": [[d, v] for d, vs in zip(DEPTHS, values, strict=True) for v in vs],
        })  # fmt: skip
    return {
        "name": "accuracy-by-depth", "kind": "lines", "title": "Accuracy against depth", "panels": [{"title": "", "series": series}],
        "caption": "Test accuracy of the best epoch on validation; faint marks are single seeds. The plain net falls to chance "
        "between depth 8 and 32; two layers per block hold at every depth.",
        "x": {"label": "depth (linear layers)", "scale": "log"}, "y": {"label": "test accuracy", "scale": "linear", "percent": True, "range": [0, 1]},
    }  # fmt: skip


def _gradients() -> dict[str, Any]:
    layers, panels = list(range(1, 65)), []
    for title, slope in (("at the start", 0.2), ("at the end", 0.12)):
        plain = [10 ** (-slope * (64 - i) - 0.4) for i in layers]
        one = [10 ** (0.045 * (64 - i) - 0.6) for i in layers]
        two = [10 ** (0.012 * (64 - i) - 0.5) for i in layers]
        panels.append({"title": title, "series": [
            {"name": name, "x": layers, "y": y, "low": [v / 2 for v in y], "high": [v * 2 for v in y], "points": None}
            for name, y in zip(KINDS.values(), (plain, one, two), strict=True)
        ]})  # fmt: skip
    return {
        "name": "gradient-norms", "kind": "lines", "title": "Gradient norm by layer, depth 64", "panels": panels,
        "caption": "L2 norm of each weight's gradient on one fixed training batch. Without skips the first layers get "
        "a gradient that is twelve decades smaller; with one layer per block it grows towards the input.",
        "x": {"label": "layer (1 = nearest to the input)", "scale": "linear"}, "y": {"label": "gradient norm", "scale": "log", "range": None},
    }  # fmt: skip


def _matrix() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    counts = rng.poisson(3, (10, 10))
    counts[np.arange(10), np.arange(10)] = [961, 1113, 982, 951, 938, 842, 922, 983, 925, 961]
    counts[4, 9], counts[9, 4], counts[5, 3], counts[0, 1] = 29, 17, 21, 0
    return {
        "name": "confusion", "kind": "matrix", "title": "What is taken for what", "labels": [str(i) for i in range(10)],
        "caption": "Residual, two layers, depth 64, seed 0. Count and share of the true class; errors in orange, scaled to the most frequent one.",
        "counts": counts.tolist(),
    }  # fmt: skip


def _gallery() -> dict[str, Any]:
    items = [
        {
            "png": png(28, i),
            "label": str(i),
            "prediction": str((i * 7 + 3) % 10),
            "confidence": 0.999 - i * 0.004,
            "note": f"seed {i % 6}",
        }
        for i in range(10)
    ]
    return {
        "name": "worst-errors", "kind": "gallery", "title": "Worst errors", "items": items,
        "caption": "Test images that the net got wrong while being most sure: true class → prediction, with its confidence.",
    }  # fmt: skip


def _claims() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)

    def part(label: str, estimate: float, half: float, verdict: str, **more: Any) -> dict[str, Any]:
        spread = [round(estimate + float(d), 4) for d in rng.normal(0, half, 6)]
        return {
            "label": label, "measure": "test accuracy", "unit": "fraction", "delta": 0.01, "estimate": estimate, "n": 6,
            "interval": [estimate - half, estimate + half], "kind": "more", "verdict": verdict, "differences": spread, "seeds": SEEDS, **more,
        }  # fmt: skip

    published = {
        "value": "plain .93 .88 .11 .11; residual .94 .95 .95 .35 (depth 2, 8, 32, 64)", "source": "lab 003",
        "protocol": "the best of 21 epochs, chosen on the test set; one run, no seed set",
    }  # fmt: skip
    base = {
        "level": 0.9933,
        "look": 1,
        "n": 6,
        "samples": 10000,
        "same_setting": True,
        "other_setting": None,
        "predicts": "supported",
    }

    def made(**more: Any) -> dict[str, Any]:
        return claim(**{**base, **more})

    return [
        made(id="C003-01a", statement="With one layer per block a residual MLP beats its plain twin at depth 32.",
              measure="difference in test accuracy, residual − plain, depth 32", estimate=0.8263, interval=[0.7716, 0.881],
              explanation="The interval lies far above 1 point: the residual net is better by 77 to 88 points.", sign_flip=0.03125, figure="accuracy-by-depth",
              reading="better, by 77 to 88 points",
              seed_share=0.98, degrees_of_freedom=5.1, agrees=True, published=published, flags=["1 of 6 runs of plain, depth 32 left chance for a while (21%)."],
              differences=[0.837, 0.839, 0.846, 0.741, 0.839, 0.856], seeds=SEEDS, more_seeds=None),
        made(id="C003-01b", statement="Residual connections help at every depth.", verdict="open", reading="undecided; a loss of a point or more is ruled out",
              measure="smallest difference over depths", estimate=0.0082, interval=[-0.0051, 0.0215], agrees=None, published=published,
              explanation="At depth 8 and 32 the residual net is better by more than 1 point; at depth 2 the interval reaches over 1 point, so that "
              "'at every depth' is not decided. Not worse by 1 point is already excluded.", sign_flip=0.31, seed_share=0.61, degrees_of_freedom=6.4,
              more_seeds="10 to 24 more seeds", flags=["3 of 6 runs of residual, one layer, depth 64 trained: two groups."],
              parts=[part("depth 2", 0.0082, 0.0133, "open"), part("depth 8", 0.0588, 0.0142, "supported"),
                     part("depth 32", 0.8263, 0.0547, "supported"), part("depth 64", 0.2884, 0.3802, "open")]),
        made(id="C003-02", statement="Two layers per block repair depth 64.", measure="difference in test accuracy, two − one layer, depth 64",
              estimate=0.5599, interval=[0.176, 0.944], explanation="The interval lies above 1 point.", sign_flip=0.03125, seed_share=0.999,
              degrees_of_freedom=5.0, agrees=True, published={"value": ".35 → .96", "source": "lab 003", "protocol": "single run; convincing for a 61-point effect only"}),
        made(id="C003-03", statement="Residual connections keep the gradient of the first layer from vanishing.", unit="decades", delta=1.0,
              measure="gradient norm of layer 1 at the start, residual / plain, depth 32", estimate=13.07, interval=[12.61, 13.53], samples=None, sign_flip=0.03125,
              explanation="The first layer's gradient is about thirteen decades larger with skips. It also grows by three decades towards the input: exploding, not just kept.",
              agrees=True, differences=[12.8, 13.4, 13.1, 12.7, 13.2, 13.22], published={"value": "plain about 1e-13, residual 1e0 to 1e3", "source": "lab 003", "protocol": "one batch of one net; the growth went unnoticed"}),
        made(same_setting=False, other_setting="width 16 instead of 110; depth 2 instead of 4", id="C000-02", verdict="supported", kind="same", reading="equal to within a point",
              statement="A residual MLP is as accurate as a plain one when both are shallow.", measure="difference in test accuracy, depth 2",
              estimate=0.0012, interval=[-0.0061, 0.0085], explanation="Any difference larger than 1 point is excluded in both directions.", agrees=None,
              differences=[0.002, -0.001, 0.0045, 0.0, 0.003, -0.0013], published={"value": "97.39% → 97.73%", "source": "lab 000", "protocol": "0.34 points from one run; nets of different size"}),
        made(id="C001-02", verdict="refuted", kind="not less", reading="worse, by 2 to 5 epochs", figure="learning-curves", unit="epochs", delta=2.0, samples=None, measure="epochs to the best validation loss, plain − residual",
              statement="Residual MLPs need fewer epochs.", estimate=-3.67, interval=[-5.21, -2.13], agrees=False, differences=[-4, -3, -5, -3, -4, -3],
              explanation="The interval lies below −2 epochs: at equal quality the residual net needs more.", sign_flip=0.03125,
              published={"value": "29 → 11 and 24 → 9 epochs", "source": "lab 001", "protocol": "the stop rule fired at overfitting, not at quality"}),
    ]  # fmt: skip


def realistic() -> dict[str, Any]:
    """Make the results of a study of twelve arms, six seeds, six claims and six figures."""
    arms, runs, costs = [], [], []
    for kind, name in KINDS.items():
        for depth in DEPTHS:
            arm = f"{kind}-{depth}"
            arms.append({
                "name": arm, "label": f"{name}, depth {depth}", "factors": {"kind": name, "depth": depth}, "parameters": 12730 + 272 * depth,
                "layers": f"stem 784→16, {depth} × 16→16, head 16→10", "recipe": "Adam 1e-4, 21 epochs, batch 128",
            })  # fmt: skip
            costs.append(
                {
                    "arm": arm,
                    "seconds": 12.4 + depth * 1.31 * (1 + 0.1 * len(kind)),
                    "peak_memory_mb": 380 + depth,
                }
            )
            for seed, value in enumerate(_accuracy(kind, depth)):
                bad = arm == "one-64" and seed == 2
                runs.append({
                    "arm": arm, "seed": seed, "record": f"{hash_of(arm, seed)}", "status": "diverged" if bad else "finished", "trained": value > 0.3,
                    "note": "diverged at epoch 3 in blocks.4" if bad else None,
                })  # fmt: skip
    figures = [_by_depth(), _learning_curves(), _gradients(), {"name": "claims", "kind": "forest", "title": "All claims at a glance",
               "caption": "Each claim's effect in units of its own δ; shaded is where the claim holds."}, _matrix(), _gallery()]  # fmt: skip
    twins = [
        {"a": f"one-{d}", "b": f"plain-{d}", "differences": ["residual: yes / no"], "same": [f"parameters {12730 + 272 * d:,}", "start weights bit-equal", "data order", "recipe"]}
        for d in DEPTHS
    ]  # fmt: skip
    return {
        "format": 1, "study": "residual-mlp", "title": "Residual connections in deep MLPs", "question": "Do residual connections let deep MLPs train?",
        "background": "A plain multilayer perceptron gets worse when more layers are stacked, though it could simply copy its input. Skip "
        "connections add each block's input to its output, so that doing nothing is easy to learn. Twins that differ in the skip alone show whether that is what helps.",
        "preset": "standard", "data": "mnist", "setting": "003", "setting_text": "MLPs of width 16 with 2, 8, 32 and 64 hidden layers, PyTorch's default "
        "initialisation, no norm; Adam at 1e-4, batch 128, 21 epochs; weights of the best epoch on validation.", "same_setting": True, "other_setting": None,
        "parameters": {"depths": list(DEPTHS), "width": 16, "per_block": [1, 2], "init": "default"}, "seeds": SEEDS, "look": 1, "level": 0.96,
        "answer": "Yes where it counts: from depth 32 on, the plain net stays at chance while its residual twin learns. At depth 2 there is no difference that matters, "
        "and at depth 64 one layer per block is not enough.",
        "claims": _claims(), "tables": {"accuracy": _table()}, "figures": figures, "arms": arms, "twins": twins, "runs": runs,
        "provenance": {"gradlab": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "commit": "4f2c1d9", "data_checksum": "sha256:9b1f0c77ab23e4d0",
                       "processor": "AMD EPYC", "threads": 1, "precision": "fp32", "device": "cpu", "command": "gradlab run residual-mlp --data mnist --preset standard"},
        "cost": {"seconds": sum(c["seconds"] for c in costs), "runs": len(runs), "peak_memory_mb": 512.3, "per_arm": costs},
    }  # fmt: skip


def hash_of(arm: str, seed: int) -> str:
    """Make something that looks like a record's hash."""
    import hashlib

    return hashlib.sha256(f"{arm}/{seed}".encode()).hexdigest()[:20]
