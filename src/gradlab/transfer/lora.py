"""Low-rank adaptation (LoRA): small trained matrices beside frozen layers of any module, through the package peft."""

from __future__ import annotations

import copy
import fnmatch
import math
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.types import STRICT, Count, PositiveFloat, Probability, UserError, derive_seed

if TYPE_CHECKING:
    from torch import nn

QUERIES_AND_VALUES = ("q_lin", "v_lin", "query", "value", "q_proj", "v_proj")
"""What the projections to queries and values are called in DistilBERT, in BERT and its kin, and in CLIP."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LoRA:
    """Adapters W + (alpha / r) B A beside frozen weights W, A of r rows, and a new head (Hu et al., 2022, arXiv:2106.09685).

    B starts at 0, so that the network starts as it was.

    Attributes:
        r: rank of the update of a layer. alpha: what the update is scaled by, times r.
        dropout: probability of zeroing a number at the entrance of the adapters, in training.
        targets: layers that get an adapter: their names or the ends of these, as peft takes them, or patterns with *; left
            out: the projections to queries and values of the attention, as in the paper.
    """

    fresh: ClassVar[bool] = False
    kind: Literal["lora"] = "lora"
    r: Count = 8
    alpha: PositiveFloat = 16.0
    dropout: Probability = 0.1
    targets: tuple[str, ...] = QUERIES_AND_VALUES

    def describe(self) -> str:
        """Say it in words."""
        places = "queries and values" if self.targets == QUERIES_AND_VALUES else ", ".join(self.targets)
        return f"LoRA of rank {self.r} (alpha {self.alpha:g}, dropout {self.dropout:g}) on {places}, and head"


def lora_targets(model: nn.Module, targets: Sequence[str], head: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the linear and convolutional layers that `targets` match, in the order of registration.

    Args:
        targets: as in `LoRA`. head: names of modules that are trained whole, which get no adapter.

    Raises:
        UserError: none matches, or one of several that were named does not; the names that exist are listed.
    """
    known = [
        name
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
        and not any(name == one or name.startswith(f"{one}.") for one in head)
    ]
    found = tuple(name for name in known if any(_matches(name, target) for target in targets))
    idle = [one for one in targets if not any(_matches(name, one) for name in known)]
    if not found or (idle and tuple(targets) != QUERIES_AND_VALUES):
        ends = ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in known)) or "none"
        raise UserError(
            f"no layer of {type(model).__name__} is called {' or '.join(idle) or 'anything'}, so LoRA would adapt nothing"
            f"{' by that name' if found else ''}; layers that can be adapted are called {ends}."
        )
    return found


def _matches(name: str, target: str) -> bool:
    return name == target or name.endswith(f".{target}") or fnmatch.fnmatchcase(name, target)


def add_lora(
    model: nn.Module, lora: LoRA, *, seed: int, head: Sequence[str] = (), task: str | None = None
) -> Any:
    """Return a copy of a network with adapters, all of it frozen but these and the head; the given one is left as it was.

    Args:
        model: any module. seed: of the adapters; every one has a stream of its own by its name.
        head: names of modules that train whole and are saved with the adapters.
        task: peft's task type, such as "SEQ_CLS", for what peft loads by itself.
    Returns: a `peft.PeftModel`, which is a module; its `save_pretrained(folder)` writes adapters and head.

    Raises:
        UserError: targets that match nothing, no such head, or peft is not installed.
    """
    if find_spec("peft") is None:
        raise UserError("LoRA needs peft, not installed: run pip install 'gradlab[text]'.")
    from peft import LoraConfig, get_peft_model

    chosen = lora_targets(model, lora.targets, head)
    _check_head(model, head)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(chosen),
        modules_to_save=list(head) or None,
        task_type=task,
        init_lora_weights=False,  # drawn below, by name
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers
        made = get_peft_model(copy.deepcopy(model), config)
    _draw(made, seed)
    return made


def _check_head(model: nn.Module, head: Sequence[str]) -> None:
    """Refuse a head that is not there: nothing would be trained in its place."""
    modules = dict(model.named_modules())
    lost = [name for name in head if name not in modules]
    if lost:
        own = ", ".join(name for name, _ in model.named_children())
        raise UserError(
            f"{type(model).__name__} has no module '{lost[0]}' that could be its head; it consists of {own}."
        )


def _draw(model: nn.Module, seed: int) -> None:
    """Draw every A as PyTorch draws a linear layer, and set every B to 0."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_A." in name:
                stream = torch.Generator().manual_seed(derive_seed(seed, "init", name))
                drawn = torch.empty(parameter.shape)
                torch.nn.init.kaiming_uniform_(drawn, a=math.sqrt(5), generator=stream)
                parameter.copy_(drawn)
            elif ".lora_B." in name:
                parameter.zero_()


def merged(model: Any) -> nn.Module:
    """Return a plain network in which every adapter is added to the weights that it stands beside.

    Args:
        model: what `add_lora` returned, trained or not; left as it was. Logits are equal up to rounding.

    Raises:
        UserError: it has no adapters.
    """
    if not hasattr(model, "merge_and_unload"):
        raise UserError(
            f"merged reads a network with adapters, as add_lora returns it, got {type(model).__name__}."
        )
    return copy.deepcopy(model).merge_and_unload()  # type: ignore[no-any-return]


def save_lora(model: Any, folder: str | Path, base: str = "") -> None:
    """Write adapters and head as safetensors; `peft.PeftModel.from_pretrained(network, folder)` reads them.

    Args:
        model: what `add_lora` returned. base: name or folder of the network without adapters, as peft remembers it.
    """
    for config in model.peft_config.values():
        config.base_model_name_or_path = base or None
    model.save_pretrained(str(folder), safe_serialization=True, save_embedding_layers=False)
