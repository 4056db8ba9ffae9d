"""Public names that load their module on first use, so that `import gradlab` stays light (no torch)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """A package in which a function wins over the submodule of its name, whichever is imported first."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and self.__dict__.get("_lazy_names", {}).get(name) == name:
            value = getattr(value, name, value)
        super().__setattr__(name, value)


class Late(ModuleType):
    """Stands for a module that is imported when one of its names is first asked for."""

    def __getattr__(self, name: str) -> Any:
        module = self.__dict__.get("_module")
        if module is None:
            module = self.__dict__["_module"] = importlib.import_module(self.__name__)
        return getattr(module, name)


def attach(
    package: str, public: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Make `__getattr__`, `__dir__` and `__all__` of a package whose public names live in leaf modules.

    Args:
        package: the package's `__name__`.
        public: public name -> leaf module inside the package; the name itself when it is a submodule.
    """
    itself = sys.modules[package]
    itself._lazy_names = dict(public)  # type: ignore[attr-defined]
    itself.__class__ = _Package

    def __getattr__(name: str) -> Any:  # noqa: N807 - the name that Python looks for (PEP 562)
        if name not in public:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(f"{package}.{public[name]}")
        value = getattr(module, name, module) if public[name] == name else getattr(module, name)
        setattr(itself, name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted(public)

    return __getattr__, __dir__, sorted(public)
