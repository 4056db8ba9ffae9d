"""DistilBERT and CLIP ViT-B/32 at full size, from their configurations: a training step, an evaluation, the peak memory.

Run `python benchmarks/full_size.py` for both, each in a process of its own, or `python benchmarks/full_size.py distilbert` (or
clip) for one. Weights are random, sentences and pictures made up, on which neither memory nor speed depends: 16 sentences
of up to 17 tokens, 16 pictures of 224 pixels. One thread, fp32, AdamW.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from gradlab.training import Recipe, fit

BATCH = 16
RECIPE = Recipe(optimizer="adamw", learning_rate=1e-5, batch_size=BATCH, epochs=1, keep="last")


def distilbert() -> tuple[int, dict[str, Any]]:
    """Fine-tune all layers of a DistilBERT; returns its parameters and what the epoch of one step gave."""
    from gradlab.data import TextSplit
    from gradlab.language import TextTransformer, WordPiece, build_encoder, text_classifier

    texts = [
        " ".join(f"word{(row * 7 + place) % 40}" for place in range(8 + row % 8)) for row in range(BATCH)
    ]
    words = WordPiece().train(texts)
    shape = TextTransformer(dim=768, layers=6, heads=12, hidden_dim=3072, dropout=0.1, max_length=512)
    facts = build_encoder(shape, words, seed=0).facts() | {"vocab_size": 30_522}
    encoder = build_encoder(facts, words, seed=0)
    model = text_classifier(encoder, ("neg", "pos"), seed=0)
    feed = encoder.feed(TextSplit(tuple(texts), torch.arange(BATCH) % 2, "train"), 32)
    del encoder
    done = fit(model, feed, RECIPE, validation=feed, device="cpu", progress=False)
    return sum(one.numel() for one in model.parameters()), done.history[0]


def clip() -> tuple[int, dict[str, Any]]:
    """Train both towers of a CLIP ViT-B/32 on pairs; returns its parameters and what the epoch of one step gave."""
    from transformers import CLIPConfig, CLIPModel

    from gradlab.clip import CLIP, Contrastive, PairFeed
    from gradlab.clip.preprocessing import Preprocessing
    from gradlab.data import from_tensors

    config = CLIPConfig(vision_config={"patch_size": 32}, text_config={"eos_token_id": 49407})
    model = CLIP(CLIPModel(config), None, Preprocessing(224, (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)))
    stream = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (BATCH, 3, 224, 224), generator=stream, dtype=torch.uint8)
    labels = torch.arange(BATCH) % 2
    data = from_tensors(images, labels, validation=(images[:4], labels[:4]))
    ids = torch.randint(0, 49000, (2, 2, 16), generator=stream)
    ids[..., 0], ids[..., -1] = 49406, 49407
    feeds = [PairFeed(one, ids, torch.ones_like(ids)) for one in data.trainable()]
    done = fit(
        model, feeds[0], RECIPE, validation=feeds[1], objective=Contrastive(), device="cpu", progress=False
    )
    return sum(one.numel() for one in model.parameters()), done.history[0]


MODELS: dict[str, Callable[[], tuple[int, dict[str, Any]]]] = {"distilbert": distilbert, "clip": clip}


def measured(name: str) -> dict[str, float]:
    """Return parameters, losses, processor seconds and peak memory of one model in this process."""
    torch.set_num_threads(1)
    begun = time.process_time()
    parameters, epoch = MODELS[name]()
    return {
        "parameters": parameters,
        "loss": epoch["train_loss"],
        "accuracy": epoch["validation_accuracy"],
        "seconds": time.process_time() - begun,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main() -> None:
    """Measure the models that are named, or all, and print a line of JSON for each."""
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1])))
        return
    for name in MODELS:
        process = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        found = json.loads(process.stdout.splitlines()[-1])
        print(
            f"{name}: {found['parameters']:,} parameters, one training step of {BATCH} and one evaluation: "
            f"{found['gigabytes']:.2f} GB at most, {found['seconds']:.0f} processor seconds, loss {found['loss']:.3f}"
        )


if __name__ == "__main__":
    main()
