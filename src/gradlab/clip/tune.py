"""Teaching a CLIP classes by labelled images, with everything frozen that the method does not train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from gradlab.clip.classifier import CLIPClassifier
from gradlab.clip.methods import Method
from gradlab.clip.network import CLIP
from gradlab.clip.prompts import PHOTO, described
from gradlab.data import Dataset
from gradlab.training.fit import Fit, Listener, fit_stacked
from gradlab.training.frozen import frozen_digests
from gradlab.training.recipe import Precision, Recipe


@dataclass(frozen=True)
class Tuned:
    """A CLIP that learned classes.

    Attributes:
        fit: as of any training; its model is a `CLIPClassifier`. start: it before the first step.
        frozen: tensors that did not train. unchanged: how many of them are bit-equal after training.
    """

    fit: Fit
    start: CLIPClassifier
    frozen: int
    unchanged: int

    @property
    def clip(self) -> CLIP:
        """The CLIP that came out, which can be asked about any classes."""
        return self.fit.model.clip  # type: ignore[return-value]


def tune(
    clip: CLIP,
    data: Dataset,
    method: Method,
    recipe: Recipe | None = None,
    *,
    class_names: Sequence[str] | None = None,
    templates: Sequence[str] = PHOTO,
    seed: int = 0,
    device: str = "auto",
    precision: Precision | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 0.0,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> Tuned:
    """Train what `method` adds to a copy of `clip` to name the classes of `data`; the CLIP is left as it was.

    The logits in training are those of zero-shot: scaled cosines with the embeddings of the classes' prompts; their scale is
    frozen. The loss is cross-entropy.

    Args:
        clip: on any device. data: trained on its train part; weights are chosen on its validation part.
        class_names: words for each class; those of the data, with their groups where these are known, if not given.
        templates: of the prompts; a learned prompt has its own.
        seed: of what the method adds, the order of the images and dropout. checkpoint: and all else as in
            `gradlab.training.fit`.

    Raises:
        UserError: an adapter that finds no layer, texts that are too long, and whatever `fit` refuses.
    """
    names = list(class_names or map(described, data.class_names))
    start = CLIPClassifier(method.start(clip, seed), names, templates, fix=not method.reads_texts)
    (done,) = fit_stacked(
        [start],
        data,
        recipe or Recipe(),
        seeds=[seed],
        device=device,
        precision=precision,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
        listeners=listeners,
        progress=progress,
    )
    before = frozen_digests(start)
    after = frozen_digests(_as_trained(done.model, start))
    same = sum(after.get(name) == digest for name, digest in before.items())
    return Tuned(done, start, len(before), same)


def _as_trained(model: nn.Module, start: nn.Module) -> nn.Module:
    trained = {name for name, one in start.named_parameters() if one.requires_grad}
    for name, one in model.named_parameters():
        one.requires_grad_(name in trained)
    return model
