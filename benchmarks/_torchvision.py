"""An empty torchvision, where none is installed, for peers that import it for reading pictures alone."""

from __future__ import annotations

import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any


class Empty:
    """Finds torchvision and all that might be in it; any name in these is an empty class."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        """Answer for torchvision alone."""
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "torchvision" else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Make a module in which every name is a class."""
        module = types.ModuleType(spec.name)
        module.__getattr__ = _empty_class  # type: ignore[method-assign]
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def _empty_class(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


def without_torchvision() -> None:
    """Let `import torchvision` succeed."""
    if importlib.util.find_spec("torchvision") is None:
        sys.meta_path.append(Empty())  # type: ignore[arg-type]
