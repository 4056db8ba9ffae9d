"""CLIP: pictures and texts in one space; zero-shot, contrastive pre-training, adapters and learned prompts."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CLIP": "network",
        "CLIPClassifier": "classifier",
        "CLIPLoRA": "methods",
        "Contrastive": "contrastive",
        "METHODS": "methods",
        "PairFeed": "contrastive",
        "PromptLearning": "methods",
        "SmallCLIP": "small",
        "TEMPLATES": "prompts",
        "Tuned": "tune",
        "ZeroShot": "zero_shot",
        "build_small": "pretrain",
        "contrastive_losses": "contrastive",
        "find_clip": "loading",
        "load_clip": "loading",
        "pretrain": "pretrain",
        "prompts_of": "prompts",
        "save_clip": "loading",
        "tune": "tune",
        "zero_shot": "zero_shot",
    },
)

if TYPE_CHECKING:
    from gradlab.clip.classifier import CLIPClassifier as CLIPClassifier
    from gradlab.clip.contrastive import Contrastive as Contrastive
    from gradlab.clip.contrastive import PairFeed as PairFeed
    from gradlab.clip.contrastive import contrastive_losses as contrastive_losses
    from gradlab.clip.loading import find_clip as find_clip
    from gradlab.clip.loading import load_clip as load_clip
    from gradlab.clip.loading import save_clip as save_clip
    from gradlab.clip.methods import METHODS as METHODS
    from gradlab.clip.methods import CLIPLoRA as CLIPLoRA
    from gradlab.clip.methods import PromptLearning as PromptLearning
    from gradlab.clip.network import CLIP as CLIP
    from gradlab.clip.pretrain import build_small as build_small
    from gradlab.clip.pretrain import pretrain as pretrain
    from gradlab.clip.prompts import TEMPLATES as TEMPLATES
    from gradlab.clip.prompts import prompts_of as prompts_of
    from gradlab.clip.small import SmallCLIP as SmallCLIP
    from gradlab.clip.tune import Tuned as Tuned
    from gradlab.clip.tune import tune as tune
    from gradlab.clip.zero_shot import ZeroShot as ZeroShot
    from gradlab.clip.zero_shot import zero_shot as zero_shot
