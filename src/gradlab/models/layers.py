"""The summary of a network as data, text and HTML; no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

UNKNOWN = "?"
HEAD = ("layer", "type", "output", "parameters", "frozen", "FLOPs")


@dataclass(frozen=True)
class LayerSummary:
    """One layer.

    Attributes:
        name: dotted, as in `named_modules`; empty for the model itself. kind: name of its class.
        output: shape for one image, without the batch axis; None where it gives no tensor or is not used.
        trained: numbers of its own that require a gradient. frozen: those that do not.
        flops: of one image, a multiplication and an addition counted as two; None where they are not known.
        is_used: whether the forward pass goes through it.
    """

    name: str
    kind: str
    output: tuple[int, ...] | None
    trained: int
    frozen: int
    flops: int | None
    is_used: bool = True

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        shape = "×".join(map(str, self.output)) if self.output else ("scalar" if self.output == () else "–")
        return (
            self.name or "(model)",
            self.kind,
            shape if self.is_used else "not used",
            f"{self.trained + self.frozen:,}",
            f"{self.frozen:,}",
            UNKNOWN if self.flops is None else f"{self.flops:,}",
        )


@dataclass(frozen=True)
class Summary:
    """A network, layer by layer; printing it shows the table, a notebook shows it as HTML.

    Attributes:
        model: name of its class. input_shape: of one image. layers: in the order of `named_modules`.
    """

    model: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """All numbers that can be trained, frozen ones included; each shared one counted once."""
        return self.trained + self.frozen

    @property
    def trained(self) -> int:
        """Numbers that require a gradient."""
        return sum(layer.trained for layer in self.layers)

    @property
    def frozen(self) -> int:
        """Numbers that do not require a gradient."""
        return sum(layer.frozen for layer in self.layers)

    @property
    def flops(self) -> int | None:
        """FLOPs of one image; None where those of a layer are not known."""
        known = [layer.flops for layer in self.layers if layer.flops is not None]
        return sum(known) if len(known) == len(self.layers) else None

    def describe(self) -> str:
        """Say the totals in one line, such as "4,810 parameters (0 frozen), 9,344 FLOPs an image"."""
        flops = (
            f"{self.flops:,} FLOPs an image" if self.flops is not None else "FLOPs not known for every layer"
        )
        return f"{self.parameters:,} parameters ({self.frozen:,} frozen), {flops}"

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        totals = {name: getattr(self, name) for name in ("parameters", "trained", "frozen", "flops")}
        layers = [asdict(layer) | {"output": layer.output and list(layer.output)} for layer in self.layers]
        return {"model": self.model, "input_shape": list(self.input_shape), **totals, "layers": layers}

    def __str__(self) -> str:
        rows = [HEAD, *(layer.cells() for layer in self.layers)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 3 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        shape = "×".join(map(str, self.input_shape))
        return "\n".join([f"{self.model}, images {shape}", *lines, self.describe()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{cell}</th>" for cell in HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in layer.cells()) + "</tr>"
            for layer in self.layers
        )
        return (
            f"<table><caption>{escape(self.model)}: {escape(self.describe())}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
