"""Where does a CNN look, and which maps of it can be trusted?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.explain import (
    CAM,
    EigenCAM,
    Explanation,
    GradCAM,
    GradCAMPlusPlus,
    IntegratedGradients,
    LayerCAM,
    Occlusion,
    Saliency,
    ScoreCAM,
    SmoothGrad,
)
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.models.cnn import CNN
from gradlab.procedures.explain import BASELINES, Explain
from gradlab.procedures.train import Train
from gradlab.studies._looks_claims import claims_of
from gradlab.studies._looks_shown import figures_of, tables_of
from gradlab.studies._nets import SMALL, shared_net
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count

BACKGROUND = (
    "A map says where a network looks, but it can look plausible and say nothing. So maps are put to tests. Where a small patch "
    "was planted, whose pattern is the class, it is known where a network that learned it must look: the largest value of the "
    "map either lies there or not. Of photographs nobody knows that, but of four side by side it is known which one the class "
    "belongs to. On any image, pixels are deleted from the most to the least important, or inserted: a faithful map makes the "
    "class's probability fall early, or rise early. And when all weights are randomised, a map that is about the network must "
    "become another one. Beside every method stand maps that know nothing of the network: smooth random ones, and edges."
)
METHODS: tuple[Explanation, ...] = (
    CAM(),
    GradCAM(),
    GradCAMPlusPlus(),
    LayerCAM(),
    ScoreCAM(budget=32),
    EigenCAM(),
    Saliency(),
    SmoothGrad(samples=15),
    IntegratedGradients(steps=25),
    Occlusion(),
)
OF_ANY = tuple(one for one in METHODS if not isinstance(one, CAM))
"""Methods for a network that ends with anything but a mean; those that need places say so where there are none."""
WORDS = {"random": "random maps", "edges": "edges"}


def where_it_looks(
    setup: Setup, *, images: Count | None = None, epochs: Count | None = None, model: Network | None = None
) -> Design:
    """Where does a CNN look, and which maps of it can be trusted?

    Args:
        setup: preset and data; beside them a network always learns digits with a planted patch.
        images: test images that are explained, for each seed; 200 with the planted patch and 75 others, 50 in the preset quick.
        epochs: of training the network on the data; the data's own by default.
        model: a network of your own, of the data, instead of a CNN trained here.
    """
    standard = (50, 50) if setup.preset == "quick" else (200, 75)
    counts = dict(zip(("planted", "own"), (images, images) if images else standard, strict=True))
    planted = Train(data="planted", model=CNN(widths=(16, 32)), recipe=replace(SMALL, epochs=6))
    nets: dict[str, tuple[Procedure, str]] = {"planted": (planted, "planted")}
    if model is not None:
        nets["own"] = (model, setup.data)
    elif setup.data not in ("digits", "planted"):
        nets["own"] = (shared_net(setup, setup.data, epochs=epochs), setup.data)
    has_mosaics = "own" in nets and model is None
    places_only = has_mosaics and setup.image_size > 32  # curves would take hours
    arms = tuple(
        arm
        for name, (net, data) in nets.items()
        for arm in _arms(
            name,
            net,
            data,
            counts[name],
            _methods(net),
            has_mosaics and name == "own",
            places_only and name == "own",
        )
    )
    return Design(
        study="where-it-looks",
        title="Where a CNN looks",
        question="Where does a CNN look, and which maps of it can be trusted?",
        background=BACKGROUND,
        setting=OWN,
        setting_text="Test images of each seed, and of the network of the same data: "
        f"{', '.join(f'{counts[name]} of {data}' for name, (_, data) in nets.items())}.",
        deviations=(),
        parameters={"images": images, "epochs": epochs, "model": None if model is None else model.kind},
        arms=arms,
        claims=claims_of(
            setup.data if "own" in nets else None, has_mosaics=has_mosaics, places_only=places_only
        ),
        tables=tables_of(arms, has_mosaics=has_mosaics),
        figures=figures_of(
            {name: data for name, (_, data) in nets.items()}, has_mosaics=has_mosaics, places_only=places_only
        ),
    )


def _methods(net: Procedure) -> tuple[Explanation, ...]:
    return METHODS if isinstance(net, Train) and isinstance(net.model, CNN) else OF_ANY


def _arms(
    name: str,
    net: Procedure,
    data: str,
    images: int,
    methods: tuple[Explanation, ...],
    has_mosaics: bool,
    places_only: bool,
) -> list[Arm]:
    procedure = Explain(
        net=net, data=data, methods=methods, images=images, mosaic=has_mosaics, faithfulness=not places_only
    )
    prefix = "" if name == "planted" else f"{name} "
    found = [
        Arm(
            name=f"{prefix}{method}",
            label=f"{WORDS.get(method, method)}, {data}",
            factors={"method": WORDS.get(method, method), "net": data},
            procedure=procedure,
            at={"method": method},
        )
        for method in (*(one.kind for one in methods), *BASELINES)
    ]
    if name == "planted":
        fresh = Explain(net=net, data=data, methods=(GradCAM(),), images=images, untrained=True)
        found.append(
            Arm(
                name="grad-cam untrained",
                label="grad-cam, untrained",
                factors={"method": "grad-cam", "net": "untrained"},
                procedure=fresh,
                at={"method": "grad-cam"},
            )
        )
        found.append(Arm(name="net", label="the network", factors={"net": data}, procedure=net))
    return found
