"""Tables and figures of maps under attack."""

from __future__ import annotations

from gradlab.lab.designing.shown import Figure, Table


def tables_of(arms: tuple[str, ...]) -> tuple[Table, ...]:
    """Return the tables; `arms` are those that are compared."""
    return (
        Table(
            name="maps",
            title="How far maps move",
            caption="Overlap: intersection over union of the fifth of the pixels that matters most, before and after; 11 % "
            "is that of two random maps. Rank correlation: over all pixels. Shift: of the centre of mass, as a share of the "
            "diagonal. Growth: of the share of pixels above half of the map's maximum; grown, shrunk: by more than a twentieth "
            "of the image. A map is empty where Grad-CAM finds no positive evidence; a pair with an empty map counts only there. "
            "Means over the images of the group.",
            measures=(
                "overlap of the maps",
                "rank correlation of the maps",
                "shift of the centre",
                "growth of the area",
                "maps that grow",
                "maps that shrink",
                "empty maps",
                "L2 change",
            ),
            arms=arms,
        ),
        Table(
            name="attack",
            title="The attack",
            caption="Share of all images whose predicted class the attack changes.",
            measures=("predictions changed by the attack",),
            arms=("attack",),
        ),
    )


def figures_of() -> tuple[Figure, ...]:
    """Return how maps overlap and grow, then the maps of some images."""
    known = {
        "overlap": ("overlap of the maps", "Overlap of maps before and after"),
        "growth": ("growth of the area", "Growth of the area that maps mark"),
    }
    pictures = Figure(
        name="maps",
        title="Maps before and after",
        caption="The first images that the attack fools, of the first seed; then a row for every change, of four pictures each. "
        "Above, the map before and the map after, of the class predicted then: the brighter, the more important. Below, the "
        "changed image, and what the map lost (blue) and gained (orange). Measures are over all images.",
        mark="gallery",
        table="pictures",
        where={"images": "shown"},
    )
    bars = tuple(
        Figure(
            name=name,
            title=title,
            caption="Mean over the seeds with a 95 % interval; each dot is one seed.",
            mark="bars",
            x="change",
            y=measure,
            by="images",
            panel="class",
            where={"images": ["fooled", "not fooled"]},
        )
        for name, (measure, title) in known.items()
    )
    return (*bars, pictures)
