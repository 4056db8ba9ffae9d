"""Features of images: what a layer of any network gives, in batches, in eval mode and without gradients."""

from __future__ import annotations

from torch import Tensor, nn

from gradlab.data import Split
from gradlab.training.outputs import outputs


def features(
    model: nn.Module, images: Split | Tensor, layer: str | None = None, *, batch_size: int | None = None
) -> Tensor:
    """Return the output of a layer for every image; the model is left as it was.

    Outputs with spatial positions, (N, C, H, W), are averaged over them (global average pooling); tokens (N, T, D) over the
    tokens.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits; in any mode, on any device.
        images: a part of a data set, or (N, C, H, W): uint8, or floats in [0, 1].
        layer: a name as in `named_modules`; left out: the input of the last linear layer.
        batch_size: images of one forward pass; up to 1,000 where it is left out.

    Returns: (N, D) float32 on the CPU; those of test images are marked, so that nothing is fitted to them.

    Raises:
        UserError: no such layer, one that does not run exactly once, an output that is no feature, or images that the
            model cannot read.
    """
    return outputs(model, images, layer, batch_size=batch_size).features
