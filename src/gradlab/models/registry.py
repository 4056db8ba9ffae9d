"""The models that a spec can name."""

from __future__ import annotations

from gradlab.models.mlp import MLP

MODELS: dict[str, type[MLP]] = {"mlp": MLP}
