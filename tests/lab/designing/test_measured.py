from dataclasses import replace

import pytest

from gradlab.lab import Arm, Claim
from gradlab.lab.designing.measured import measure_of, refuse_unmeasured, rows_of
from gradlab.lab.designing.shown import Table
from gradlab.procedures import PROCEDURES
from gradlab.procedures.snapshot import Snapshot
from gradlab.running import run
from gradlab.types import UserError
from tests.lab.fakes import RECIPE, arm, design, part

TRAINED = (arm("long", recipe=replace(RECIPE, snapshots=(1,))), arm("short"))
EARLY = Snapshot(net=TRAINED[0].procedure, data="digits", epoch=1)
SNAPSHOT = Arm(name="early", label="early", procedure=EARLY, factors={})
ARMS = (*TRAINED, SNAPSHOT)


def table(*measures, arms=()):
    return Table(name="epochs", title="Epochs", caption="Best epochs.", measures=measures, arms=arms)


def claim(measure):
    return Claim(
        id="later", statement="Longer is better", parts=(part("long", "early", measure=measure),), means="m"
    )


def names(found):
    return [one.name for one in found]


def test_rows_are_the_arms_that_have_the_measures_or_those_that_are_named():
    study = design(ARMS)
    assert names(rows_of(table("test accuracy"), study, PROCEDURES)) == ["long", "short", "early"]
    assert names(rows_of(table("best epoch"), study, PROCEDURES)) == ["long", "short"]
    assert names(rows_of(table("test accuracy", arms=("early",)), study, PROCEDURES)) == ["early"]


def test_a_measure_is_the_one_of_the_arms_own_kind():
    assert (
        measure_of(SNAPSHOT, "test accuracy", PROCEDURES) is PROCEDURES["snapshot"].measures["test accuracy"]
    )
    with pytest.raises(UserError, match=r"^arm 'early' has no measure 'best epoch'; it has test accuracy"):
        measure_of(SNAPSHOT, "best epoch", PROCEDURES)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"tables": (table("best epoch", arms=("long", "early")),)},
            "arm 'early' has no measure 'best epoch'",
        ),
        ({"tables": (table("AUROC"),)}, "table 'epochs' has no arm with the measures AUROC"),
        ({"claims": (claim("best epoch"),)}, "arm 'early' has no measure 'best epoch'"),
    ],
)
def test_what_no_run_can_answer_is_refused_before_anything_runs(asked, said, tmp_path):
    wrong = design(ARMS, *asked.get("claims", ()), tables=asked.get("tables", ()))
    with pytest.raises(UserError, match=said):
        refuse_unmeasured(wrong, PROCEDURES)
    with pytest.raises(UserError, match=said):
        run(wrong, data="digits", out=tmp_path, progress=False)
    assert not (tmp_path / "records").exists()
