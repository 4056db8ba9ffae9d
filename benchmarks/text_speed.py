"""Fine-tuning an encoder of texts and taking its features, against notebooks and against Hugging Face's Trainer.

Run `python benchmarks/text_speed.py [--rounds 3] [--dim 256] [--layers 4] [--batch 16]`. The encoder has DistilBERT's
architecture and random weights, since speed does not depend on their values; all sides share it. Sentences of Rotten Tomatoes
where they are found (`GRADLAB_DATA`), else made-up ones of like length. One thread; the sides take turns in one run;
processor time.

- step: gradlab's batches of like length through `fit`'s own steps: all layers, LoRA, and both under bf16 autocast; the
  notebook: shuffled batches padded to 512 tokens, a plain loop; Trainer: shuffled batches padded to their longest.
- features of the first token: gradlab's batches of like length, of 640 sentences, as few leave more padding than a data set
  does; the notebook: one text at a time, 64 of them as they are, and 4 padded to 512.
"""

from __future__ import annotations

import argparse
import logging
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable

import torch
from torch.nn import functional

from gradlab.data import TextSplit, load
from gradlab.language import (
    TextEncoder,
    TextTransformer,
    TokenFeed,
    WordPiece,
    build_encoder,
    head_modules,
    text_classifier,
)
from gradlab.training import Recipe
from gradlab.training.door import open_run
from gradlab.training.loop import set_rate, start_epoch, steps_per_epoch, train_step, training_batch
from gradlab.transfer import LoRA, add_lora
from gradlab.types import UserError

STEPS, TEXTS, ALONE, LONGEST = 4, 640, 64, 512
NAMES = ("neg", "pos")
Side = Callable[[], float]
"""Runs a turn and returns the processor seconds of a step, or of a text."""


def sentences(count: int) -> tuple[TextSplit, str]:
    """Return training sentences and what they are."""
    try:
        data = load("rotten-tomatoes")
        return data.trainable()[0][:count], "rotten-tomatoes"
    except UserError:
        draw = random.Random(0)
        texts = [
            " ".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 48))) for _ in range(count)
        ]
        return TextSplit(tuple(texts), torch.arange(count) % 2, "train"), "made-up sentences"


def ours(encoder: TextEncoder, feed: TokenFeed, batch: int, *, lora: bool, precision: str) -> Side:
    """Steps of `fit` itself, evenly out of an epoch."""
    model = text_classifier(encoder, NAMES, seed=0)
    if lora:
        model = add_lora(model, LoRA(), seed=0, head=head_modules(model))
    recipe = Recipe(optimizer="adamw", learning_rate=5e-5, batch_size=batch, epochs=1, keep="last")
    run = open_run([model], feed, recipe, seeds=[0], device="cpu", precision=precision)
    run.state.epoch = 1
    orders = start_epoch(run.state, recipe, run.course.train)
    steps = steps_per_epoch(recipe, orders.shape[1])
    chosen = torch.linspace(0, steps - 2, STEPS).long().tolist()

    def turn() -> float:
        begun = time.process_time()
        for step in chosen:
            set_rate(run.state, recipe, step, steps)
            indices = orders[:, step * batch : (step + 1) * batch]
            train_step(
                run.state, recipe, training_batch(run.state, run.course.train, indices, step),
                run.course.precision, run.course.objective,
            )  # fmt: skip
        return (time.process_time() - begun) / STEPS

    return turn


def notebook(encoder: TextEncoder, feed: TokenFeed, batch: int) -> Side:
    """A plain loop over shuffled batches, padded to 512 tokens."""
    model = text_classifier(encoder, NAMES, seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    visits = torch.randperm(len(feed), generator=torch.Generator().manual_seed(0))

    def turn() -> float:
        begun = time.process_time()
        for indices in visits[:batch].split(batch):  # one step: it takes long
            inputs = {
                name: functional.pad(one, (0, LONGEST - one.shape[1]))
                for name, one in feed.batch(indices).items()
            }
            optimizer.zero_grad()
            functional.cross_entropy(model(**inputs).logits, feed.labels[indices]).backward()
            optimizer.step()
        return time.process_time() - begun

    return turn


def trainer(encoder: TextEncoder, split: TextSplit, batch: int) -> Side:
    """Hugging Face's Trainer with dynamic padding."""
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

    from gradlab.language.hugging_face import fast_tokenizer

    words = fast_tokenizer(encoder.tokenizer, encoder.max_length)
    rows = [
        {**dict(words(text, truncation=True)), "labels": label}
        for text, label in zip(split.texts, split.labels.tolist(), strict=True)
    ]
    model = text_classifier(encoder, NAMES, seed=0)

    class Clock(TrainerCallback):
        """Notes when each step ended."""

        def __init__(self) -> None:
            self.ends: list[float] = []

        def on_step_end(self, *_args: object, **_more: object) -> None:
            """Note the processor time."""
            self.ends.append(time.process_time())

    def turn() -> float:
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arguments = TrainingArguments(
                folder, per_device_train_batch_size=batch, max_steps=2 * STEPS + 1, learning_rate=5e-5, report_to=[],
                save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=True,
            )  # fmt: skip
            made = Trainer(
                model,
                arguments,
                train_dataset=rows,
                data_collator=DataCollatorWithPadding(words),
                callbacks=[clock],
            )
            made.train()
        return (clock.ends[-1] - clock.ends[0]) / (len(clock.ends) - 1)

    return turn


def features(encoder: TextEncoder, feed: TokenFeed, way: str) -> Side:
    """First-token features of some sentences."""
    few = TokenFeed(
        encoder.tokenizer.encode(TEXT[:TEXTS], encoder.max_length),
        feed.labels[:TEXTS],
        feed.role,
        feed.origin,
    )

    @torch.inference_mode()
    def turn() -> float:
        begun = time.process_time()
        if way == "gradlab":
            for _, inputs in few.parts():
                encoder(**inputs)[:, 0]
            return (time.process_time() - begun) / len(few)
        count = ALONE if way == "one at a time" else 4
        for row in range(count):
            inputs = few.batch(torch.tensor([row]))
            if way != "one at a time":
                inputs = {
                    name: functional.pad(one, (0, LONGEST - one.shape[1])) for name, one in inputs.items()
                }
            encoder(**inputs)[:, 0]
        return (time.process_time() - begun) / count

    return turn


TEXT: list[str] = []


def in_turns(sides: dict[str, Side], rounds: int) -> dict[str, float]:
    """Return the median of every side; the first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, side in sides.items():
            found[name].append(side())
    return {name: statistics.median(times[1:]) for name, times in found.items()}


def main() -> None:
    """Measure the sides in turns and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    split, name = sentences(TEXTS)
    TEXT.extend(split.texts)
    words = WordPiece().train(list(split.texts))
    dim = options.dim
    shape = TextTransformer(
        dim=dim, layers=options.layers, heads=dim // 64, hidden_dim=4 * dim, dropout=0.1, max_length=LONGEST
    )
    encoder = build_encoder(shape, words, seed=0)
    feed, batch = encoder.feed(split, LONGEST), options.batch
    steps = in_turns(
        {
            "gradlab, all layers": ours(encoder, feed, batch, lora=False, precision="fp32"),
            "gradlab, all layers, bf16": ours(encoder, feed, batch, lora=False, precision="bf16"),
            "gradlab, LoRA": ours(encoder, feed, batch, lora=True, precision="fp32"),
            "gradlab, LoRA, bf16": ours(encoder, feed, batch, lora=True, precision="bf16"),
            "Trainer, dynamic padding": trainer(encoder, split, batch),
            "notebook, padded to 512": notebook(encoder, feed, batch),
        },
        options.rounds,
    )
    print(f"{name}, {options.layers} layers of width {dim}, batch {batch}, {torch.__version__}")
    for side, seconds in steps.items():
        ratio = seconds / steps["gradlab, all layers"]
        print(f"{side:<28} {1000 * seconds:>8.1f} ms a step  {ratio:>6.2f} × gradlab, all layers")
    ways = ("gradlab", "one at a time", "one at a time, padded to 512")
    taken = in_turns({way: features(encoder, feed, way) for way in ways}, options.rounds)
    for way, seconds in taken.items():
        print(
            f"features, {way:<30} {1000 * seconds:>8.2f} ms a text  {seconds / taken['gradlab']:>6.2f} × gradlab"
        )


if __name__ == "__main__":
    main()
