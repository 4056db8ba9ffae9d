"""Using a network again: its features with classical heads, fine-tuning by parts, distillation into a smaller one."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AllLayers": "policies",
        "DiscriminativeRates": "policies",
        "Distillation": "distillation",
        "FineTuned": "fine_tune",
        "FittedHead": "fit_head",
        "FromScratch": "policies",
        "GradualUnfreezing": "policies",
        "HEADS": "heads",
        "Head": "heads",
        "HeadOnly": "policies",
        "LDA": "heads",
        "LastBlock": "policies",
        "LinearSVM": "heads",
        "LoRA": "lora",
        "LogisticRegression": "heads",
        "NaiveBayes": "heads",
        "NearestNeighbours": "heads",
        "POLICIES": "policies",
        "Part": "parts",
        "Policy": "policies",
        "RBFSVM": "heads",
        "VIEWS": "views",
        "ViewFeed": "view_feed",
        "add_lora": "lora",
        "distil": "distil",
        "distillation_loss": "distillation",
        "features": "features",
        "fine_tune": "fine_tune",
        "fit_head": "fit_head",
        "lora_targets": "lora",
        "merged": "lora",
        "parts_of": "parts",
        "pca": "embedding",
        "save_lora": "lora",
        "tune": "fine_tune",
        "with_new_head": "parts",
    },
)

if TYPE_CHECKING:
    from gradlab.transfer.distil import distil as distil
    from gradlab.transfer.distillation import Distillation as Distillation
    from gradlab.transfer.distillation import distillation_loss as distillation_loss
    from gradlab.transfer.embedding import pca as pca
    from gradlab.transfer.features import features as features
    from gradlab.transfer.fine_tune import FineTuned as FineTuned
    from gradlab.transfer.fine_tune import fine_tune as fine_tune
    from gradlab.transfer.fine_tune import tune as tune
    from gradlab.transfer.fit_head import FittedHead as FittedHead
    from gradlab.transfer.fit_head import fit_head as fit_head
    from gradlab.transfer.heads import HEADS as HEADS
    from gradlab.transfer.heads import LDA as LDA
    from gradlab.transfer.heads import RBFSVM as RBFSVM
    from gradlab.transfer.heads import Head as Head
    from gradlab.transfer.heads import LinearSVM as LinearSVM
    from gradlab.transfer.heads import LogisticRegression as LogisticRegression
    from gradlab.transfer.heads import NaiveBayes as NaiveBayes
    from gradlab.transfer.heads import NearestNeighbours as NearestNeighbours
    from gradlab.transfer.lora import LoRA as LoRA
    from gradlab.transfer.lora import add_lora as add_lora
    from gradlab.transfer.lora import lora_targets as lora_targets
    from gradlab.transfer.lora import merged as merged
    from gradlab.transfer.lora import save_lora as save_lora
    from gradlab.transfer.parts import Part as Part
    from gradlab.transfer.parts import parts_of as parts_of
    from gradlab.transfer.parts import with_new_head as with_new_head
    from gradlab.transfer.policies import POLICIES as POLICIES
    from gradlab.transfer.policies import AllLayers as AllLayers
    from gradlab.transfer.policies import DiscriminativeRates as DiscriminativeRates
    from gradlab.transfer.policies import FromScratch as FromScratch
    from gradlab.transfer.policies import GradualUnfreezing as GradualUnfreezing
    from gradlab.transfer.policies import HeadOnly as HeadOnly
    from gradlab.transfer.policies import LastBlock as LastBlock
    from gradlab.transfer.policies import Policy as Policy
    from gradlab.transfer.view_feed import ViewFeed as ViewFeed
    from gradlab.transfer.views import VIEWS as VIEWS
