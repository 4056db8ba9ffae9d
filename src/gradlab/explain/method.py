"""A method with its settings, and a method with a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from gradlab._torch import torch

if TYPE_CHECKING:
    from gradlab.explain._place import Place
    from gradlab.explain.targets import Targets


class Explainer(Protocol):
    """Whatever is called as a method's configuration is."""

    def __call__(
        self, model: torch.nn.Module, images: torch.Tensor, targets: Targets = None, /
    ) -> torch.Tensor:
        """Return maps (N, H, W) in [0, 1] of images (N, C, H, W) in [0, 1]."""


class Method:
    """Base of the configurations: `GradCAM()` is one, and `GradCAM(model)` is a method with its network, `Bound`.

    Their fields are the settings of the function `explain`, under the same names.
    """

    explain: ClassVar[Callable[..., torch.Tensor]]
    is_random: ClassVar[bool] = False

    def __new__(cls, model: Any = None, **settings: Any) -> Any:
        """Make a configuration, or bind one to a network where one is given."""
        return super().__new__(cls) if model is None else Bound(cls(**settings), model)

    def __call__(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        targets: Targets = None,
        *,
        generator: torch.Generator | None = None,
        **options: Any,
    ) -> torch.Tensor:
        """Return maps (N, H, W) in [0, 1] of images (N, C, H, W); see the method's function for targets and options.

        Args:
            generator: for a method that draws; that of seed 0 where it is left out.
        """
        settings = {name: value for name, value in vars(self).items() if name != "kind"}
        if self.is_random:
            settings["generator"] = generator
        return type(self).explain(model, images, targets, **(settings | options))


class Bound:
    """A method and a network: `with GradCAM(model) as cam: maps = cam(images, targets)`.

    The layer is found once for images of one size. Hooks live inside each call alone, so that leaving the block has nothing to
    release, and without a `with` it works as well.
    """

    def __init__(self, method: Any, model: torch.nn.Module) -> None:
        self.method, self.model = method, model
        self._places: dict[tuple[int, ...], Place] = {}

    def __call__(self, images: torch.Tensor, targets: Targets = None, **options: Any) -> torch.Tensor:
        """Return maps (N, H, W) in [0, 1]; see the method's function for targets and options."""
        if hasattr(self.method, "layer"):
            from gradlab.explain._checks import checked
            from gradlab.explain.find_spatial_layer import locate

            model, images = checked(self.model, images)
            size = tuple(images.shape[1:])  # tokens lie on another grid in images of another
            if size not in self._places:
                self._places[size] = locate(model, images, self.method.layer)
            options = {"layer": self._places[size]} | options
        return self.method(self.model, images, targets, **options)  # type: ignore[no-any-return]

    def __enter__(self) -> Bound:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __repr__(self) -> str:
        return f"{self.method!r} of {type(self.model).__name__}"


def in_batches(
    explain: Callable[[torch.Tensor, Any], torch.Tensor], images: torch.Tensor, chosen: Any, size: int = 256
) -> torch.Tensor:
    """Return the maps of many images, explained `size` at a time.

    Args:
        explain: (images, targets) -> maps. images: (N, C, H, W). chosen: classes (N,), or None.
    """
    found = [
        explain(images[start : start + size], None if chosen is None else chosen[start : start + size])
        for start in range(0, len(images), size)
    ]
    return torch.cat(found)
