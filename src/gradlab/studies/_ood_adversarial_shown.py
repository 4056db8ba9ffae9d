"""Tables of what training on attacks changes in the detection of foreign images, and of what turns the sign of the change."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Table
from gradlab.studies._foreign import NOISE
from gradlab.studies._ood_adversarial_why import ACCURACY, AUROC, SIGNS

MEASURES = (AUROC, "AUPR, foreign as positive, balanced", "FPR at 95 % TPR")
ATTACKED = ("near", "half", "pgd")
LABS = ("max-softmax", "max-logit")
"""The scores that the labs read."""
CHANGES = (
    "Each training minus no defence, seed by seed, in percentage points; intervals are of the seeds alone, each for its row. "
    "Any two runs: all pairs of a network of this training and one without a defence. A lab that trains each once has one pair."
)
TURNS = (
    "Two changes of AUROC (a training on attacks minus no defence) that differ in one thing alone, and in how many cases one is "
    "a rise and the other a fall: none where that thing does not matter, about half where signs fall like coins. Measure: the "
    "sign of the AUROC against those of AUPR and FPR. The counts describe these runs; no verdict rests on them."
)


def tables_of_changes(arms: tuple[Arm, ...], near: str) -> tuple[Table, ...]:
    """Return the changes, and what turns their sign: by the labs' scores on the nearest set and noise, and by all on all.

    Args:
        arms: of every training, detector and set. near: what the nearest set is called.
    """
    plain = {(arm.at["detector"], arm.at["set"]): arm.name for arm in arms if _net(arm) == "plain"}
    changed = [arm for arm in arms if _net(arm) != "plain"]
    minus = {arm.name: plain[arm.at["detector"], arm.at["set"]] for arm in changed}
    attacked = [arm for arm in changed if _net(arm) in ATTACKED]
    labs = [arm for arm in attacked if arm.at["detector"] in LABS and arm.factors["set"] in (near, NOISE)]
    where = f"by maximum softmax and largest logit on {near} and on noise"
    return (
        Table(
            name="changes",
            title="What each training changes",
            caption=CHANGES,
            measures=(AUROC, ACCURACY),
            arms=tuple(arm.name for arm in changed),
            minus=minus,
        ),
        _signs(SIGNS, f"What turns the sign of the change, {where}", labs, minus),
        _signs(
            f"{SIGNS}-all", "What turns the sign of the change, by all scores on all sets", attacked, minus
        ),
    )


def _signs(name: str, title: str, arms: list[Arm], minus: dict[str, str]) -> Table:
    names = tuple(arm.name for arm in arms)
    return Table(
        name=name,
        title=title,
        caption=TURNS,
        measures=MEASURES,
        arms=names,
        minus={one: minus[one] for one in names},
        signs=("set", "detector", "training"),
    )


def _net(arm: Arm) -> str:
    return arm.name.partition(" ")[0]
