"""How a CLIP learns classes from labelled images, as data: adapters in its towers, or a learned prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab.transfer.lora import LoRA
from gradlab.types import STRICT, Count, PositiveFloat, Probability, derive_seed

if TYPE_CHECKING:
    from gradlab.clip.network import CLIP

Tower = Literal["image", "text", "both"]
PARTS: dict[Tower, tuple[str, ...]] = {
    "image": ("vision_model",),
    "text": ("text_model",),
    "both": ("vision_model", "text_model"),
}
PROJECTIONS = ("q_proj", "k_proj", "v_proj")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CLIPLoRA:
    """Low-rank adapters beside the queries, keys and values of one tower or both (Zanella and Ben Ayed, 2024,
    arXiv:2405.18541); everything else is frozen.

    Attributes:
        tower: which one. r: rank of the update of a layer. alpha: what it is scaled by, times r.
        dropout: probability of zeroing a number at the entrance of the adapters, in training.
    """

    kind: Literal["lora"] = "lora"
    tower: Tower = "both"
    r: Count = 2
    alpha: PositiveFloat = 1.0
    dropout: Probability = 0.25

    def start(self, clip: CLIP, seed: int) -> CLIP:
        """Return a copy with adapters that change nothing yet."""
        from gradlab.clip.network import CLIP
        from gradlab.transfer.lora import add_lora

        targets = tuple(f"{part}.*.{name}" for part in PARTS[self.tower] for name in PROJECTIONS)
        lora = LoRA(r=self.r, alpha=self.alpha, dropout=self.dropout, targets=targets)
        return CLIP(add_lora(clip.model, lora, seed=seed), clip.tokenizer, clip.preprocessing, clip.template)

    @property
    def reads_texts(self) -> bool:
        """Whether the text tower trains, so that the embeddings of classes move."""
        return self.tower != "image"

    def describe(self) -> str:
        """Say it in words."""
        place = "both towers" if self.tower == "both" else f"the {self.tower} tower"
        return f"LoRA of rank {self.r} (alpha {self.alpha:g}, dropout {self.dropout:g}) in {place}"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PromptLearning:
    """Learned vectors in the place of a prompt's words, both towers frozen: CoOp (Zhou et al., 2022, arXiv:2109.01134), with
    one context for all classes and the class name at the end.

    Attributes:
        context: learned vectors before the class name. std: of their initial values.
    """

    reads_texts: ClassVar[bool] = True
    kind: Literal["prompt"] = "prompt"
    context: Count = 16
    std: PositiveFloat = 0.02

    def start(self, clip: CLIP, seed: int) -> CLIP:
        """Return a copy, frozen, that reads the prompt with vectors still to be learned."""
        from gradlab.clip.context import with_context

        return with_context(clip, self.context, self.std, derive_seed(seed, "context"))

    def describe(self) -> str:
        """Say it in words."""
        return f"{self.context} learned vectors before the class name"


Method = CLIPLoRA | PromptLearning
"""Configuration of a method; the discriminator is `kind`."""
METHODS: dict[str, type[Method]] = {"lora": CLIPLoRA, "prompt": PromptLearning}
