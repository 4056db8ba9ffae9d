"""What length-sorted batches and bf16 bring in training on texts, as ratios of the processor time of a step.

Run `python benchmarks/text_batches.py [--rounds 5]`. The sides take the same texts in turns, on one thread: batches of
like length padded to their longest (the token feed's), shuffled batches padded to their longest, and shuffled batches
padded to 64 tokens, as notebooks do; and the feed's batches under bf16 autocast. Rotten Tomatoes where it can be found
(`GRADLAB_DATA`), else made-up texts of like length.
"""

from __future__ import annotations

import torch
from _rows import Side, in_turns, milliseconds, options, row, tell
from text_speed import sentences
from torch import Tensor
from torch.nn import functional

from gradlab.language import TextTransformer, TokenFeed, WordPiece, token_feed
from gradlab.training.device import autocast
from gradlab.training.recipe import Precision

BATCH, STEPS, LENGTH = 64, 20, 64
Batch = tuple[dict[str, Tensor], Tensor]


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
    """Measure the sides in turns."""
    asked = options(__doc__, rounds=5).parse_args()
    torch.set_num_threads(1)
    split, name = sentences(8_000)
    tokenizer = WordPiece().train(split)
    feed = token_feed(split, tokenizer, max_length=LENGTH)
    network = TextTransformer(max_length=LENGTH).build(2, seed=0, vocab=len(tokenizer)).train()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def side(kind: str, precision: Precision = "fp32") -> Side:
        parts = batches(feed, kind)

        def steps() -> None:
            for inputs, labels in parts:
                with autocast(torch.device("cpu"), precision):
                    logits = network(**inputs)
                optimizer.zero_grad()
                functional.cross_entropy(logits.float(), labels).backward()
                optimizer.step()

        return milliseconds(steps, STEPS)

    kinds = {"gradlab": "sorted", "shuffled": "shuffled", "padded to 64": "shuffled, padded to 64"}
    sides = {own: side(kind) for own, kind in kinds.items()} | {"in bf16": side("sorted", "bf16")}
    times = in_turns(sides, asked.rounds)
    what = f"a step on texts, {name}"
    tell([row(what, times, other) for other in sides if other != "gradlab"], asked.out)


if __name__ == "__main__":
    main()
