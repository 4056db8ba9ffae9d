"""Tiny data in memory, and a small procedure of every kind that has work."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gradlab.attacks import PGD
from gradlab.clip import PromptLearning, SmallCLIP
from gradlab.data import Dataset, TextDataset, from_tensors, from_texts
from gradlab.data.contents import DataInfo
from gradlab.detection import AutoEncoder, MaxLogit, MaxSoftmax
from gradlab.explain import Saliency, SmoothGrad
from gradlab.lab import Arm, Design, Procedure, Request, run_design
from gradlab.language.transformer import TextTransformer
from gradlab.models import MLP
from gradlab.procedures import PROCEDURES, TOOLBOX
from gradlab.procedures.attack import Attack
from gradlab.procedures.certify import Certify
from gradlab.procedures.clip_pretrain import ClipPretrain
from gradlab.procedures.clip_tune import ClipTune
from gradlab.procedures.clip_zero_shot import ClipZeroShot
from gradlab.procedures.distil import Distil
from gradlab.procedures.disturb import Disturb
from gradlab.procedures.explain import Explain
from gradlab.procedures.explain_texts import ExplainTexts
from gradlab.procedures.fine_tune import FineTune
from gradlab.procedures.fit_head import FitHead
from gradlab.procedures.score import Score
from gradlab.procedures.snapshot import Snapshot
from gradlab.procedures.text_encoder import Untrained
from gradlab.procedures.text_features import TextFeatures, TextHead
from gradlab.procedures.text_finetune import TextFineTune
from gradlab.procedures.text_overlap import TextOverlap
from gradlab.procedures.text_pretrain import TextPretrain
from gradlab.procedures.text_tower_pretrain import TextTowerPretrain
from gradlab.procedures.text_train import TextTrain
from gradlab.procedures.train import Train
from gradlab.procedures.train_autoencoder import TrainAutoencoder
from gradlab.training import Recipe
from gradlab.transfer import RBFSVM, LastBlock, LoRA

RECIPE = Recipe(epochs=3, batch_size=32, learning_rate=1e-2)
NET = Train(
    data="stripes",
    model=MLP(width=6, depth=2, residual=True, dropout=0.1),
    recipe=RECIPE,
    probe_steps=(0, 2),
    probe_batch=16,
)
KEPT = replace(NET, recipe=replace(RECIPE, snapshots=(1, 2)))
SMALL = TextTransformer(dim=8, layers=1, heads=2, hidden_dim=8, max_length=8)
PRETRAINED = TextPretrain(
    data=("reviews",), model=SMALL, recipe=Recipe(epochs=2, batch_size=16), vocab_size=60, initial_seed=5
)
FEATURES = TextFeatures(net=Untrained(net=PRETRAINED), data="reviews", layers=(0, -1), max_length=6)
CLIP = ClipPretrain(
    data="stripes",
    model=SmallCLIP(
        patch=3, width=8, layers=1, heads=2, text_width=8, text_layers=1, text_heads=2, embedding=6
    ),
    recipe=Recipe(epochs=2, batch_size=32, learning_rate=1e-2),
    flips=False,
    initial_seed=2,
)
TOWER = TextTowerPretrain(
    data=("reviews",),
    model=CLIP.model.text_tower(),
    recipe=Recipe(epochs=2, batch_size=16),
    vocab_size=60,
    initial_seed=5,
)
FINETUNED = TextFineTune(
    net=PRETRAINED, data="reviews", policy=LoRA(r=2), recipe=Recipe(epochs=2, batch_size=16), max_length=8
)
EXAMPLES: dict[str, Procedure] = {
    "clip-pretrain": CLIP,
    "clip-zero-shot": ClipZeroShot(net=CLIP, data="stripes"),
    "clip-tune": ClipTune(net=CLIP, data="stripes", method=PromptLearning(context=2), recipe=CLIP.recipe),
    "train": NET,
    "attack": Attack(
        net=NET,
        data="stripes",
        by=PGD(eps=8 / 255, step_size=2 / 255, steps=2, stop_at_success=False),
        eps=(4 / 255, 8 / 255),
    ),
    "certify": Certify(net=NET, data="stripes", eps=32 / 255, quick=True, images=12, twin=KEPT),
    "score": Score(net=NET, data="stripes", out=("noise", "flat"), detectors=(MaxSoftmax(), MaxLogit())),
    "fit-head": FitHead(
        net=NET, data="stripes", head=RBFSVM(c=(1.0, 10.0), gamma=(0.5,), images=60), layer="stem"
    ),
    "fine-tune": FineTune(net=NET, data="stripes", policy=LastBlock(), recipe=RECIPE),
    "distil": Distil(
        net=NET, data="stripes", model=MLP(width=5, depth=2), recipe=RECIPE, temperature=2.0, alpha=0.25
    ),
    "snapshot": Snapshot(net=KEPT, data="stripes", epoch=1),
    "text-train": TextTrain(
        data="reviews",
        model=SMALL,
        recipe=Recipe(epochs=2, batch_size=16),
        vocab_size=60,
    ),
    "text-pretrain": PRETRAINED,
    "text-tower-pretrain": TOWER,
    "untrained": Untrained(net=PRETRAINED),
    "text-features": FEATURES,
    "text-head": TextHead(net=FEATURES, data="reviews", head=RBFSVM(c=(1.0, 10.0), gamma=(0.5,)), layer=0),
    "text-finetune": FINETUNED,
    "text-overlap": TextOverlap(data="reviews", known="more-reviews"),
    "explain-texts": ExplainTexts(net=FINETUNED, data="reviews", texts=3, steps=3),
    "train-autoencoder": TrainAutoencoder(
        data="stripes", model=AutoEncoder(code=3, widths=(2,)), recipe=RECIPE
    ),
    "explain": Explain(net=NET, data="stripes", methods=(SmoothGrad(samples=2), Saliency()), images=12),
    "disturb": Disturb(net=NET, data="stripes", method=Saliency(), by=PGD(steps=3), eps=32 / 255),
}
SLICES: dict[str, Mapping[str, Any]] = {
    "attack": {"eps": 8 / 255},
    "score": {"detector": "max-softmax", "set": "flat"},
    "explain": {"method": "smooth-grad"},
    "disturb": {"change": "noise", "target": "predicted", "group": "not fooled"},
}
"""Rows of its tables that are an arm's, for kinds whose arms are slices."""


def stripes(count: int = 100, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (N, 1, 6, 6) whose class is the brightest third, which every network can learn."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.randint(0, 160, (count, 1, 6, 6), generator=generator, dtype=torch.uint8)
    for row, label in enumerate(labels.tolist()):
        images[row, :, 2 * label : 2 * label + 2] += 60
    return images, labels


def _data() -> dict[str, Dataset | TextDataset]:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randint(0, 256, (40, 1, 6, 6), generator=generator, dtype=torch.uint8)
    flat = torch.arange(40, dtype=torch.uint8)[:, None, None, None].expand(40, 1, 6, 6).contiguous()
    labels = torch.arange(40) % 2
    words = [("good", "fine", "great"), ("bad", "poor", "awful")]
    texts = [f"{words[n % 2][n % 3]} film number {n}" for n in range(80)]
    made = (
        from_tensors(*stripes(), name="stripes"),
        from_tensors(noise, labels, name="noise"),
        from_tensors(flat, labels, name="flat"),
        from_texts(texts, [n % 2 for n in range(80)], name="reviews", class_names=("good", "bad")),
        from_texts(texts[:3] + ["Good film, number 30!"] * 30, [0, 1, 0] * 11, name="more-reviews"),
    )
    return {one.name: one for one in made}


DATA = _data()


def info(name: str) -> DataInfo:
    """Return the facts about one of these data sets."""
    data = DATA[name]
    counts = {role: len(split) for role, split in data.splits.items()}
    seen = {part: getattr(data, part, (0.5,)) for part in ("mean", "std")}
    return DataInfo(
        name=name,
        checksum=data.checksum,
        counts=counts,
        input_shape=getattr(data, "input_shape", ()),
        holds="images" if isinstance(data, Dataset) else "text",
        class_names=data.class_names,
        notes=data.notes,
        **seen,
    )


def asked(out: Path, seeds: Sequence[int] = (0,), **more: Any) -> Request:
    """Return a request whose data live in this process."""
    known: dict[str, Any] = {
        "preset": "quick",
        "data": "stripes",
        "info": info,
        "device": "cpu",
        "memory": DATA,
    }
    return Request(toolbox=TOOLBOX, seeds=tuple(seeds), out=out, **(known | more))


def design_of(*procedures: Procedure) -> Design:
    """Return a design of nothing but arms."""
    texts = dict.fromkeys(("study", "title", "question", "background", "setting", "setting_text"), "t")
    empty: dict[str, Any] = {"deviations": (), "parameters": {}, "claims": (), "tables": (), "figures": ()}
    arms = tuple(
        Arm(
            name=f"arm-{number}",
            label=f"arm {number}",
            factors={},
            procedure=one,
            at=dict(SLICES.get(one.kind, {})),
        )
        for number, one in enumerate(procedures)
    )
    return Design(arms=arms, **texts, **empty)


def run(out: Path, procedure: Procedure, seeds: Sequence[int] = (0,), **more: Any) -> dict[str, Any]:
    """Run one procedure in this process."""
    hear = more.pop("on_event", lambda _event: None)
    return run_design(design_of(procedure), asked(out, seeds, **more), on_event=hear)


WORKING = [name for name, kind in PROCEDURES.items() if kind.work is not None]
"""Kinds that do something, and so have records."""
