"""What length-sorted batches and bf16 bring in training on texts, as ratios of the processor time of a step.

Run `python benchmarks/text_batches.py [--rounds 5]`. The sides take the same texts in turns, on one thread: batches of
like length padded to their longest (the token feed's), shuffled batches padded to their longest, and shuffled batches
padded to 64 tokens, as notebooks do; and the feed's batches under bf16 autocast. Rotten Tomatoes where it can be found
(`GRADLAB_DATA`), else made-up texts of like length.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

import torch
from torch import Tensor
from torch.nn import functional

from gradlab.data import TextSplit, load
from gradlab.language import TextTransformer, TokenFeed, WordPiece, token_feed
from gradlab.training.device import autocast
from gradlab.types import UserError

BATCH, STEPS, LENGTH = 64, 20, 64
Batch = tuple[dict[str, Tensor], Tensor]


def sentences() -> tuple[TextSplit, str]:
    """Return training texts and what they are."""
    try:
        data = load("rotten-tomatoes")
        return data.trainable()[0], "rotten-tomatoes"
    except UserError:
        draw = random.Random(0)
        texts = [
            " ".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 48))) for _ in range(8000)
        ]
        return TextSplit(tuple(texts), torch.arange(8000) % 2, "train"), "made-up texts"


def batches(feed: TokenFeed, side: str) -> list[Batch]:
    """Return the batches of one round, evenly out of an epoch, so that all lengths take part."""
    visits = feed.order(0, 1, BATCH)
    if side.startswith("shuffled"):
        visits = torch.randperm(len(feed), generator=torch.Generator().manual_seed(0))
    full = visits[: len(visits) // BATCH * BATCH].view(-1, BATCH)
    chosen = full[torch.linspace(0, len(full) - 1, STEPS).long()]
    found = [(feed.batch(indices), feed.labels[indices]) for indices in chosen]
    if side != "shuffled, padded to 64":
        return found
    return [({name: functional.pad(one, (0, LENGTH - one.shape[1])) for name, one in inputs.items()}, labels)
            for inputs, labels in found]  # fmt: skip


def main() -> None:
    """Measure the sides in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    split, name = sentences()
    tokenizer = WordPiece().train(split)
    feed = token_feed(split, tokenizer, max_length=LENGTH)
    network = TextTransformer(max_length=LENGTH).build(2, seed=0, vocab=len(tokenizer)).train()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    sides = {
        side: batches(feed, side) for side in ("sorted", "shuffled", "shuffled, padded to 64", "sorted, bf16")
    }
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(options.rounds + 1):  # the first round warms up
        for side, parts in sides.items():
            begun = time.process_time()
            for inputs, labels in parts:
                with autocast(torch.device("cpu"), "bf16" if "bf16" in side else "fp32"):
                    logits = network(**inputs)
                optimizer.zero_grad()
                functional.cross_entropy(logits.float(), labels).backward()
                optimizer.step()
            seconds[side].append((time.process_time() - begun) / STEPS)
    medians = {side: statistics.median(times[1:]) for side, times in seconds.items()}
    print(f"{name}, batch {BATCH}, {tokenizer.digest[:8]}")
    for side, parts in sides.items():
        mask = torch.cat([inputs["attention_mask"].flatten() for inputs, _ in parts])
        ratio = medians[side] / medians["sorted"]
        print(
            f"{side:<24} {1000 * medians[side]:>7.1f} ms a step  {ratio:>5.2f} × sorted  {1 - mask.double().mean():.0%} padding"
        )


if __name__ == "__main__":
    main()
