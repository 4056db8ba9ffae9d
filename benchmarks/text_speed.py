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

import random
from operator import itemgetter

import torch
from _rows import Side, in_turns, milliseconds, options, row, tell
from _trainer import trainer
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
WAYS = ("one forward pass", "one at a time", "one at a time, padded to 512")
AIMS = {"Trainer, dynamic padding": 1.2, "notebook, padded to 512": 5, WAYS[2]: 10}


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

    def turn() -> None:
        for step in chosen:
            set_rate(run.state, recipe, step, steps)
            indices = orders[:, step * batch : (step + 1) * batch]
            train_step(
                run.state, recipe, training_batch(run.state, run.course.train, indices, step),
                run.course.precision, run.course.objective,
            )  # fmt: skip

    return milliseconds(turn, STEPS)


def notebook(encoder: TextEncoder, feed: TokenFeed, batch: int) -> Side:
    """A plain loop over shuffled batches, padded to 512 tokens."""
    model = text_classifier(encoder, NAMES, seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    visits = torch.randperm(len(feed), generator=torch.Generator().manual_seed(0))

    def turn() -> None:
        for indices in visits[:batch].split(batch):  # one step: it takes long
            inputs = {
                name: functional.pad(one, (0, LONGEST - one.shape[1]))
                for name, one in feed.batch(indices).items()
            }
            optimizer.zero_grad()
            functional.cross_entropy(model(**inputs).logits, feed.labels[indices]).backward()
            optimizer.step()

    return milliseconds(turn)


def of_trainer(encoder: TextEncoder, split: TextSplit, batch: int) -> Side:
    """Hugging Face's Trainer with dynamic padding."""
    from transformers import DataCollatorWithPadding

    from gradlab.language.hugging_face import fast_tokenizer

    words = fast_tokenizer(encoder.tokenizer, encoder.max_length)
    rows = [
        {**dict(words(text, truncation=True)), "labels": label}
        for text, label in zip(split.texts, split.labels.tolist(), strict=True)
    ]
    model = text_classifier(encoder, NAMES, seed=0)
    return trainer(model, rows, batch, 2 * STEPS, data_collator=DataCollatorWithPadding(words),
                   arguments={"learning_rate": 5e-5})  # fmt: skip


def features(encoder: TextEncoder, feed: TokenFeed, way: str) -> Side:
    """First-token features of some sentences, the time of one; one forward pass has its batches ready."""
    ready = [inputs for _, inputs in feed.parts()] if way == "one forward pass" else []
    alone = {"one at a time": ALONE, "one at a time, padded to 512": 4}.get(way, 0)

    @torch.inference_mode()
    def turn() -> None:
        for inputs in ready or ([] if alone else map(itemgetter(1), feed.parts())):
            encoder(**inputs)[:, 0]
        for number in range(alone):
            inputs = feed.batch(torch.tensor([number]))
            if "padded" in way:
                inputs = {
                    name: functional.pad(one, (0, LONGEST - one.shape[1])) for name, one in inputs.items()
                }
            encoder(**inputs)[:, 0]

    return milliseconds(turn, alone or len(feed))


def main() -> None:
    """Measure the sides in turns: steps, then features."""
    asked = options(__doc__, rounds=3, dim=256, layers=4, batch=16).parse_args()
    torch.set_num_threads(1)
    split, name = sentences(TEXTS)
    words = WordPiece().train(list(split.texts))
    dim, batch = asked.dim, asked.batch
    shape = TextTransformer(
        dim=dim, layers=asked.layers, heads=dim // 64, hidden_dim=4 * dim, dropout=0.1, max_length=LONGEST
    )
    encoder = build_encoder(shape, words, seed=0)
    feed = encoder.feed(split, LONGEST)
    made = {
        "gradlab": ours(encoder, feed, batch, lora=False, precision="fp32"),
        "in bf16": ours(encoder, feed, batch, lora=False, precision="bf16"),
        "with LoRA": ours(encoder, feed, batch, lora=True, precision="fp32"),
        "with LoRA in bf16": ours(encoder, feed, batch, lora=True, precision="bf16"),
        "Trainer, dynamic padding": of_trainer(encoder, split, batch),
        "notebook, padded to 512": notebook(encoder, feed, batch),
    }
    steps = in_turns(made, asked.rounds)
    ways = {way: features(encoder, feed, way) for way in WAYS}
    taken = in_turns({"gradlab": features(encoder, feed, "gradlab")} | ways, asked.rounds)
    what = f"a step of fine-tuning, {asked.layers} layers of {dim}, {name}"
    rows = [row(what, steps, other, at_least=AIMS.get(other)) for other in made if other != "gradlab"]
    what = f"features of a text, {asked.layers} layers of {dim}, {name}"
    rows += [row(what, taken, other, floor=WAYS[0], at_least=AIMS.get(other)) for other in WAYS[1:]]
    tell(rows, asked.out)


if __name__ == "__main__":
    main()
