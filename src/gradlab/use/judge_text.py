"""A published classifier of texts, judged as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab import language
from gradlab.data import TextDataset
from gradlab.training.recipe import Precision
from gradlab.types import UserError


def judge_text(
    place: str | Path,
    data: TextDataset,
    *,
    called: Sequence[str] | None = None,
    max_length: int = 128,
    device: str = "auto",
    precision: Precision = "fp32",
) -> dict[str, dict[str, Any]]:
    """Predict validation and test texts with a classifier that was trained already, head and all; nothing is trained.

    What it was trained on may hold these texts: SST-2 was made from the reviews of Rotten Tomatoes.

    Args:
        place: folder or name of it, such as "distilbert-base-uncased-finetuned-sst-2-english"; safetensors alone, and no code
            that came with it is run. data: whose classes must be those that the classifier names, in any order.
        called: what the classifier calls each class of the data, in their order, where it names them otherwise.
        max_length: tokens of a text at most, with those at its ends.

    Returns: "validation" and "test", as far as there are such texts, each with every score of `gradlab.metrics`, "confusion"
        (rows: true classes, columns: predicted ones) and "cut_off", how many texts were longer.

    Raises:
        UserError: it is not here, has no head, is for other classes, or there is neither part.
    """
    import torch

    from gradlab.metrics import confusion, evaluate
    from gradlab.training.device import resolve_device
    from gradlab.training.predict import predict_logits

    files = language.find_encoder(place)
    words = language.load_encoder(files)
    model, outputs = language.load_classifier(files, data.class_names, called)
    model.to(resolve_device(device))
    found: dict[str, dict[str, Any]] = {}
    for role in ("validation", "test"):
        split = data.splits.get(role)
        if split is None or not len(split):
            continue
        feed = words.feed(split, max_length)
        logits = predict_logits(model, feed, precision=precision).float().cpu()[:, torch.tensor(outputs)]
        labels = feed.labels.cpu().numpy()
        counts = confusion(logits.argmax(1).numpy(), labels, data.num_classes)
        found[role] = {
            **evaluate(logits.numpy(), labels),
            "confusion": counts,
            "cut_off": feed.tokens.truncated,
        }
    if not found:
        raise UserError(f"'{data.name}' has neither validation nor test texts; choose data with one of them.")
    return found
