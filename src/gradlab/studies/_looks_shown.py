"""Tables and figures of the study where-it-looks."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.studies._looks_claims import OWN_CELL
from gradlab.studies._shared import ACCURACY


def tables_of(arms: tuple[Arm, ...], *, has_mosaics: bool) -> tuple[Table, ...]:
    """Return the tables of pointing, of mosaics if any, of faithfulness, of the drop, and of the network."""
    maps = tuple(arm.name for arm in arms if arm.procedure.kind == "explain")
    judged = tuple(
        arm.name for arm in arms if arm.name in maps and getattr(arm.procedure, "faithfulness", True)
    )
    pointed = tuple(arm.name for arm in arms if arm.name in maps and not arm.name.startswith("own "))
    cells = Table(
        name="cells",
        title="Four images side by side",
        caption="Share of the map on the image whose class is explained, of a mosaic of four images that are classified "
        "correctly, for 50 such images of a seed at most; 25 % is a map that "
        "knows nothing (Böhle et al., 2021, who take surely classified ones).",
        measures=(OWN_CELL,),
        arms=tuple(name for name in maps if name.startswith("own ")),
    )
    return (
        Table(
            name="pointing",
            title="Pointing at the planted patch",
            caption="Share of the images whose map has its largest value on the patch, which covers 14 % of the image and has "
            "less contrast than the digit, so that edges cannot point at it. Empty maps are the same at all pixels. Means over "
            "seeds with 95 % intervals that include the variance of seeds and of images.",
            measures=("pointing", "area of the map", "empty maps"),
            arms=pointed,
        ),
        *((cells,) if has_mosaics else ()),
        Table(
            name="faithfulness",
            title="How faithful maps are",
            caption="Insertion minus deletion: difference of the areas under the class's probability as pixels come and go; "
            "ROAD: the same idea with pixels imputed, 0 is a map that knows nothing; similarity: rank correlation with the maps "
            "of three draws of all weights, at pixels that are not 0 with any weights and for maps that are not empty; 100 % "
            "are maps that do not depend on the network. Empty maps with random weights: their share, which the similarity "
            "leaves out.",
            measures=(
                "insertion minus deletion",
                "ROAD",
                "similarity with random weights",
                "empty maps with random weights",
            ),
            arms=judged,
        ),
        Table(
            name="drop",
            title="What is left where the map hides the rest",
            caption="Average drop of the class's probability when the image is multiplied by its map, and share of images where "
            "it rises. A map that is large everywhere does well here.",
            measures=("average drop", "increase"),
            arms=judged,
        ),
        Table(
            name="accuracy",
            title="The network that learned the patch",
            caption="Share of its test images classified correctly.",
            measures=(ACCURACY,),
            arms=("net",),
        ),
    )


def figures_of(nets: dict[str, str], *, has_mosaics: bool, places_only: bool = False) -> tuple[Figure, ...]:
    """Return the figures.

    Args:
        nets: name of a network -> the data whose images are explained. has_mosaics: whether the other net explains them.
        places_only: whether its maps are judged by nothing else.
    """
    gallery = tuple(
        Figure(
            name=f"maps-{name}",
            title=f"Maps of the network of {data}",
            caption="The first five of the images of the first seed, then one row a method: the brighter, the more important "
            "for the predicted class (viridis, dark blue to yellow). Below, true → predicted class. Measures are over all "
            "images.",
            mark="gallery",
            table="pictures",
            where={"net": data},
        )
        for name, data in nets.items()
    )
    bars = Figure(
        name="gap",
        title="Insertion minus deletion by method",
        caption="Mean over the seeds with a 95 % interval; each dot is one seed.",
        mark="bars",
        x="method",
        y="insertion minus deletion",
        by="net",
        where={"net": ["planted", "untrained"]} if places_only else {},
    )
    pointing = Figure(
        name="pointing",
        title="Pointing at the planted patch by method",
        caption="Share of the images whose map has its largest value on the patch; the line is the patch's share of the area.",
        mark="bars",
        x="method",
        y="pointing",
        by="net",
        where={"net": ["planted", "untrained"]},
        reference=(Reference(axis="y", value=36 / 256, label="share of the area"),),
    )
    cells = Figure(
        name="cells",
        title="Share of the map on the image of the class, of four side by side",
        caption="Mean over the seeds with a 95 % interval; each dot is one seed; the line is a map that knows nothing.",
        mark="bars",
        x="method",
        y=OWN_CELL,
        by="net",
        where={"net": nets.get("own")},
        reference=(Reference(axis="y", value=0.25, label="knows nothing"),),
    )
    return (pointing, *((cells,) if has_mosaics else ()), bars, *gallery)
