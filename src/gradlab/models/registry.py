"""The models that a spec can name, and how one is read from plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag

from gradlab.models.cnn import CNN
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.mlp import MLP
from gradlab.models.named import net
from gradlab.models.vit import ViT
from gradlab.types import UserError, did_you_mean

MODELS: dict[str, type[MLP] | type[CNN] | type[ViT] | type[FastCNN]] = {
    "mlp": MLP,
    "cnn": CNN,
    "vit": ViT,
    "fast-cnn": FastCNN,
}


def kind_of(model: Any) -> str:
    """Return the registered name of a configuration, or of its fields as plain data; without a `kind` it is an MLP.

    Raises:
        UserError: no model has this kind.
    """
    kind = model.get("kind", "mlp") if isinstance(model, Mapping) else getattr(model, "kind", "mlp")
    if not isinstance(kind, str) or kind not in MODELS:
        raise UserError(f"there is no model '{kind}'; {did_you_mean(str(kind), list(MODELS))}")
    return kind


def _known(model: Any) -> Any:
    if isinstance(model, str):
        return net(model).config
    kind_of(model)
    return model


def _without_kind(fields: Any) -> Any:
    """MLP, the oldest of them, has no field for its kind, so that the hashes of its records stay."""
    if isinstance(fields, Mapping):
        return {name: value for name, value in fields.items() if name != "kind"}
    return fields


Model = Annotated[
    Annotated[MLP, BeforeValidator(_without_kind), Tag("mlp")]
    | Annotated[CNN, Tag("cnn")]
    | Annotated[ViT, Tag("vit")]
    | Annotated[FastCNN, Tag("fast-cnn")],
    Discriminator(kind_of),
    BeforeValidator(_known),
]
"""Any configuration of a network; as plain data told apart by `kind`, and without one an MLP; a text is a name of `NETS`."""
