"""Maps and their speed against captum and pytorch-grad-cam: largest differences, and ratios of processor seconds.

Run `OMP_NUM_THREADS=1 python benchmarks/explanations.py [--images 256] [--rounds 3] [--steps 20]` in an environment that has
captum and grad-cam beside gradlab; a side that is not there is left out. ResNet-20 with random weights and random images of
32×32; the sides take turns in one process, with one thread, and processor seconds are compared. The layer is named for all.
What is compared is what a user gets: of grad-cam the maps that it returns, of captum Grad-CAM the raw
attributions at the layer, since it resizes and scales nothing.

Differences of definition: grad-cam resizes with OpenCV, which is bilinear as well, and divides by (maximum + 1e-7) after the
subtraction of the minimum; its Eigen-CAM centres the activations, ours does not, as published; its Grad-CAM++ adds 1e-6 to
the denominator of eq. 19, which counts where gradients are small; its Layer-CAM is as ours. Captum's Grad-CAM is ours without
ReLU, and its integrated gradients are by the same quadrature.

Beside integrated gradients and the raw Grad-CAM stands their floor in fp32: the convolutions alone (of all points, forward and
back to their inputs; of one pass forward) on tensors that stand ready in the order that is fastest here. No sum, ReLU, norm or
quadrature is in it. Told is also how much sooner than captum any program by the same convolutions can be done: the rate at
which this core multiplies two large fp32 matrices over the rate at which captum computes these, all else of it counted as
nothing.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _rows import Row, in_turns, options, row, tell
from _torchvision import without_torchvision

from gradlab import explain
from gradlab.models import build

LAYER = "layer3"
AIMS = {"grad-cam": 3, "grad-cam, raw": 3, "integrated-gradients": 2}
FLOOR = "the convolutions alone"
Side = Callable[[], torch.Tensor]


def grad_cam_package() -> types.ModuleType | None:
    """Import pytorch_grad_cam."""
    if importlib.util.find_spec("pytorch_grad_cam") is None:
        return None
    without_torchvision()
    import pytorch_grad_cam

    return pytorch_grad_cam


def convolutions(model: torch.nn.Module, images: torch.Tensor, steps: int, backward: bool = True) -> Side:
    """Return a function that does nothing but the convolutions of so many points for every image."""
    made: list[tuple[torch.nn.Conv2d, torch.Tensor, torch.Tensor]] = []

    def see(layer: torch.nn.Conv2d, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        made.append((layer, inputs[0].contiguous(memory_format=torch.channels_last), torch.ones_like(output)))

    handles = [one.register_forward_hook(see) for one in model.modules() if isinstance(one, torch.nn.Conv2d)]
    with torch.no_grad():
        model(images.contiguous(memory_format=torch.channels_last))
    for handle in handles:
        handle.remove()
    last = torch.channels_last
    ready = [
        (one, at, back.contiguous(memory_format=last), one.weight.detach().contiguous(memory_format=last))
        for one, at, back in made
    ]

    @torch.no_grad()
    def run() -> torch.Tensor:
        for _ in range(steps):
            for one, at, back, kernel in ready:
                torch.nn.functional.conv2d(at, kernel, None, one.stride, one.padding)
                if not backward:
                    continue
                torch.ops.aten.convolution_backward(
                    back, at, kernel, None, one.stride, one.padding, one.dilation, False, [0, 0], 1, [True, False, False]
                )  # fmt: skip
        return torch.empty(0)

    return run


def sides(
    model: torch.nn.Module, images: torch.Tensor, classes: torch.Tensor, steps: int
) -> dict[str, dict[str, Side]]:
    """Return method -> side -> function; raw numbers are compared with captum's, maps with grad-cam's."""
    layer = model.get_submodule(LAYER)
    found: dict[str, dict[str, Side]] = {
        "grad-cam": {"gradlab": lambda: explain.grad_cam(model, images, classes, LAYER)},
        "grad-cam, raw": {"gradlab": lambda: explain.grad_cam(model, images, classes, LAYER, raw=True)},
        "grad-cam++": {"gradlab": lambda: explain.grad_cam_plus_plus(model, images, classes, LAYER)},
        "layer-cam": {"gradlab": lambda: explain.layer_cam(model, images, classes, LAYER)},
        "eigen-cam": {"gradlab": lambda: explain.eigen_cam(model, images, classes, LAYER)},
        "integrated-gradients": {
            "gradlab": lambda: explain.integrated_gradients(model, images, classes, steps=steps, raw=True)
        },
    }
    package = grad_cam_package()
    if package is not None:
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        targets = [ClassifierOutputTarget(int(one)) for one in classes]
        kinds = {
            "grad-cam": "GradCAM",
            "grad-cam++": "GradCAMPlusPlus",
            "layer-cam": "LayerCAM",
            "eigen-cam": "EigenCAM",
        }
        for name, kind in kinds.items():

            def theirs(kind: str = kind) -> torch.Tensor:
                with getattr(package, kind)(model=model, target_layers=[layer]) as cam:
                    return torch.from_numpy(np.asarray(cam(input_tensor=images, targets=targets)))

            found[name]["grad-cam"] = theirs
    if importlib.util.find_spec("captum") is not None:
        from captum.attr import IntegratedGradients, LayerGradCam

        found["grad-cam, raw"]["captum"] = lambda: (
            LayerGradCam(model, layer).attribute(images, target=classes)[:, 0].detach()
        )
        found["integrated-gradients"]["captum"] = lambda: IntegratedGradients(model).attribute(
            images, target=classes, n_steps=steps, internal_batch_size=256
        )
    found["grad-cam, raw"][FLOOR] = convolutions(model, images, 1, backward=False)
    found["integrated-gradients"][FLOOR] = convolutions(model, images, steps)
    return found


def work(model: torch.nn.Module, images: torch.Tensor, steps: int) -> dict[str, float]:
    """Return method -> floating-point operations of its convolutions, as many back to the inputs as forward."""
    sizes: list[float] = []

    def see(layer: torch.nn.Conv2d, _: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        sizes.append(2.0 * output.numel() * layer.weight[0].numel())

    handles = [one.register_forward_hook(see) for one in model.modules() if isinstance(one, torch.nn.Conv2d)]
    with torch.no_grad():
        model(images)
    for handle in handles:
        handle.remove()
    return {"grad-cam, raw": sum(sizes), "integrated-gradients": 2 * steps * sum(sizes)}


def product_rate(size: int = 1536, rounds: int = 7) -> float:
    """Return operations a second of the fastest of some products of two square fp32 matrices on one thread."""
    left, right = torch.rand(size, size), torch.rand(size, size)
    return 2.0 * size**3 / min(seconds(lambda: left @ right)[0] for _ in range(rounds))


def seconds(side: Side) -> tuple[float, torch.Tensor]:
    """Return processor seconds and what came out."""
    start = time.process_time()
    found = side()
    return time.process_time() - start, found


def compare(
    name: str, by_side: dict[str, Side], rounds: int, images: int
) -> tuple[list[Row], dict[str, float]]:
    """Return a row for each other side, and the largest differences from it."""
    results: dict[str, torch.Tensor] = {}

    def timed(side: str) -> float:
        spent, results[side] = seconds(by_side[side])
        return spent

    times = in_turns({side: lambda side=side: timed(side) for side in by_side}, rounds, warm=0)  # type: ignore[misc]
    others = [side for side in by_side if side not in ("gradlab", FLOOR)]
    least = FLOOR if FLOOR in by_side else None
    gaps = {side: float((results[side] - results["gradlab"]).abs().max()) for side in others}
    what = f"{name}, {images} images"
    return [row(what, times, side, unit="s", floor=least, at_least=AIMS.get(name)) for side in others], gaps


def memory(model: torch.nn.Module, few: torch.Tensor, calls: int) -> float:
    """Return by how many megabytes so many calls of Grad-CAM let the process grow."""
    for _ in range(10):
        explain.grad_cam(model, few, layer=LAYER)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(calls):
        explain.grad_cam(model, few, layer=LAYER)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, images=256, rounds=3, steps=20, calls=100).parse_args()
    torch.set_num_threads(1)
    model = build("resnet20", seed=0).eval()
    images = torch.rand(asked.images, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        classes = model(images).argmax(1)
    needed, fastest = work(model, images, asked.steps), product_rate()
    rows: list[Row] = []
    found: dict[str, Any] = {"largest differences": {}, "most that any program can be faster than captum": {}}
    for name, by_side in sides(model, images, classes, asked.steps).items():
        more, found["largest differences"][name] = compare(name, by_side, asked.rounds, asked.images)
        rows += more
        for one in more:
            if one.other == "captum":
                bound = fastest * one.others / needed[name]
                found["most that any program can be faster than captum"][name] = bound
    if not rows:
        sys.exit("nothing measured: neither captum nor grad-cam is here; see the head of this file")
    found["megabytes more"] = memory(model, images[:16], asked.calls)
    found["hooks left"] = sum(len(one._forward_hooks) for one in model.modules())
    tell(rows, asked.out, **found)
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
