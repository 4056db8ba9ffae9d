"""The name `torch` for modules that must be importable without it: PyTorch is loaded when the name is first used."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch as torch
else:
    from gradlab._lazy import Late

    torch = Late("torch")
