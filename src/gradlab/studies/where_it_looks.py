"""Where does a CNN look, and which maps of it are to be believed?"""

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
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.models.cnn import CNN
from gradlab.procedures.explain import BASELINES, Explain
from gradlab.procedures.train import Train
from gradlab.studies._looks_claims import claims_of
from gradlab.studies._nets import SMALL, small_cnn
from gradlab.studies._shared import ACCURACY
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count

BACKGROUND = (
    "A map says where a network looks, and every map looks plausible to somebody. So maps are put to tests. Where a small patch "
    "was planted, whose pattern is the class, it is known where a network that learned it must look: the largest value of the map "
    "either lies there or not. On any image, pixels are deleted from the most to the least important, or inserted: a faithful map "
    "makes the class's probability fall early, or rise early. And when all weights are drawn anew, a map that is about the network "
    "must become another one. Beside every method stand maps that know nothing of the network: smooth random ones, and edges."
)
METHODS: tuple[Explanation, ...] = (
    CAM(),
    GradCAM(),
    GradCAMPlusPlus(),
    LayerCAM(),
    ScoreCAM(),
    EigenCAM(),
    Saliency(),
    SmoothGrad(samples=15),
    IntegratedGradients(steps=25),
    Occlusion(),
)
OF_ANY = tuple(one for one in METHODS if not isinstance(one, CAM))
"""Methods for a network of one's own, which may end with anything; those that need places say so where there are none."""
WORDS = {"random": "random maps", "edges": "edges"}


def where_it_looks(
    setup: Setup, *, images: Count | None = None, epochs: Count | None = None, model: Network | None = None
) -> Design:
    """Where does a CNN look, and which maps of it are to be believed?

    Args:
        setup: preset and data; beside them a network always learns digits with a planted patch.
        images: test images that are explained, for each seed; 200, or 50 in the preset quick, by default.
        epochs: of training the network on the data; the data's own by default.
        model: a network of your own, of the data, instead of a CNN trained here.
    """
    count = images or (50 if setup.preset == "quick" else 200)
    planted = Train(data="planted", model=CNN(widths=(16, 32)), recipe=replace(SMALL, epochs=6))
    nets: dict[str, tuple[Procedure, str]] = {"planted": (planted, "planted")}
    if model is not None:
        nets["own"] = (model, setup.data)
    elif setup.data not in ("digits", "planted"):
        nets["own"] = (small_cnn(setup, setup.data, epochs=epochs), setup.data)
    arms = tuple(
        arm
        for name, (net, data) in nets.items()
        for arm in _arms(name, net, data, count, OF_ANY if model is not None and name == "own" else METHODS)
    )
    return Design(
        study="where-it-looks",
        title="Where a CNN looks",
        question="Where does a CNN look, and which maps of it are to be believed?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"{count} test images a seed; networks of {', '.join(data for _, data in nets.values())}.",
        deviations=(),
        parameters={"images": count, "epochs": epochs, "model": None if model is None else model.kind},
        arms=arms,
        claims=claims_of(setup.data if "own" in nets else None),
        tables=_tables(arms),
        figures=_figures(nets),
    )


def _arms(
    name: str, net: Procedure, data: str, images: int, methods: tuple[Explanation, ...]
) -> list[Arm]:
    procedure = Explain(net=net, data=data, methods=methods, images=images)
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


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    maps = tuple(arm.name for arm in arms if arm.procedure.kind == "explain")
    pointed = tuple(arm.name for arm in arms if arm.name in maps and not arm.name.startswith("own "))
    return (
        Table(
            name="pointing",
            title="Pointing at the planted patch",
            caption="Share of the images whose map has its largest value on the patch, which covers 14 % of the image. Means "
            "over seeds with 95 % intervals that hold the variance of seeds and of images.",
            measures=("pointing", "area of the map"),
            arms=pointed,
        ),
        Table(
            name="faithfulness",
            title="How faithful maps are",
            caption="Insertion minus deletion: difference of the areas under the class's probability as pixels come and go; "
            "ROAD: the same idea with pixels imputed, 0 is a map that knows nothing; similarity: rank correlation with the map "
            "when all weights are drawn anew; 100 % are maps that do not depend on the network.",
            measures=("insertion minus deletion", "ROAD", "similarity with randomised weights"),
            arms=maps,
        ),
        Table(
            name="drop",
            title="What is left where the map hides the rest",
            caption="Average drop of the class's probability when the image is multiplied by its map, and share of images where "
            "it rises. A map that is large everywhere does well here.",
            measures=("average drop", "increase"),
            arms=maps,
        ),
        Table(
            name="accuracy",
            title="The network that learned the patch",
            caption="Share of its test images classified correctly.",
            measures=(ACCURACY,),
            arms=("net",),
        ),
    )


def _figures(nets: dict[str, tuple[Procedure, str]]) -> tuple[Figure, ...]:
    gallery = tuple(
        Figure(
            name=f"maps-{name}",
            title=f"Maps of the network of {data}",
            caption="The first five of the images of the first seed, then one row a method: the brighter, the more important "
            "for the predicted class (viridis, dark blue to yellow). Below, true → predicted class. Measures are over all images.",
            mark="gallery",
            table="pictures",
            where={"net": data},
        )
        for name, (_, data) in nets.items()
    )
    bars = Figure(
        name="gap",
        title="Insertion minus deletion by method",
        caption="Mean over the seeds with a 95 % interval; each dot is one seed.",
        mark="bars",
        x="method",
        y="insertion minus deletion",
        by="net",
    )
    pointing = Figure(
        name="pointing",
        title="Pointing at the planted patch by method",
        caption="Share of the images whose map has its largest value on the patch; the line is a random pixel.",
        mark="bars",
        x="method",
        y="pointing",
        by="net",
        where={"net": ["planted", "untrained"]},
        reference=(Reference(axis="y", value=36 / 256, label="a random pixel"),),
    )
    return (pointing, bars, *gallery)
