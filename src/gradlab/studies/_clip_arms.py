"""Arms of the study of adapters and prompts for CLIP: each on the classes that it learned, and on others."""

from __future__ import annotations

from dataclasses import replace

from gradlab.clip.methods import CLIPLoRA, Method, PromptLearning
from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Procedure
from gradlab.procedures.clip_tune import ClipTune
from gradlab.procedures.clip_zero_shot import ClipZeroShot
from gradlab.procedures.fit_head import FitHead
from gradlab.training.recipe import Recipe
from gradlab.transfer.heads import LogisticRegression

LEARNED, NOVEL = "classes that were learned", "novel classes"
BEFORE_PROJECTION = "model.vision_model.post_layernorm"
"""Where linear probes read (Radford et al., 2021, section 3.2)."""
METHODS: dict[str, tuple[str, Method]] = {
    "image": ("LoRA, image tower", CLIPLoRA(tower="image")),
    "text": ("LoRA, text tower", CLIPLoRA(tower="text")),
    "both": ("LoRA, both towers", CLIPLoRA(tower="both")),
    "prompt": ("learned prompt", PromptLearning(context=8)),
}
"""Name -> what it is called, and the method; eight vectors leave room for names that a small tokenizer cuts into letters."""


def build_arms(net: Procedure, trained: str, novel: str, recipe: Recipe, r: int) -> tuple[Arm, ...]:
    """Return zero-shot before, a linear probe, and every method, on the classes that it learns and on novel ones."""
    found = [
        _arm("before", "zero-shot, before", LEARNED, ClipZeroShot(net=net, data=trained)),
        _arm("before-novel", "zero-shot, before", NOVEL, ClipZeroShot(net=net, data=novel)),
        _arm(
            "linear",
            "linear probe",
            LEARNED,
            FitHead(net=net, data=trained, head=LogisticRegression(), layer=BEFORE_PROJECTION),
        ),
    ]
    for name, (words, method) in METHODS.items():
        own = replace(method, r=r) if isinstance(method, CLIPLoRA) else method
        tuned = ClipTune(net=net, data=trained, method=own, recipe=recipe)
        found.append(_arm(name, words, LEARNED, tuned))
        found.append(_arm(f"{name}-novel", words, NOVEL, ClipZeroShot(net=tuned, data=novel)))
    return tuple(found)


def _arm(name: str, words: str, classes: str, procedure: Procedure) -> Arm:
    label = words if classes == LEARNED else f"{words}, {classes}"
    return Arm(name=name, label=label, factors={"method": words, "classes": classes}, procedure=procedure)
