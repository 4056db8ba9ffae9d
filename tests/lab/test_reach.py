"""What is announced as out of reach before anything runs."""

from dataclasses import replace

import pytest

from gradlab.lab.planning import out_of_reach
from gradlab.preparing import prepare


def asked(**parameters):
    design, request, _ = prepare(
        "compare",
        preset="quick",
        data="digits",
        data_dir=None,
        seeds=6,
        first_seed=0,
        device="cpu",
        precision="fp32",
        out="nowhere",
        records=(),
        parameters=parameters,
        command=None,
    )
    return design, request


def with_part(design, **change):
    (claim,) = design.claims
    changed = replace(claim, parts=tuple(replace(part, **change) for part in claim.parts))
    return replace(design, claims=(changed,))


@pytest.mark.parametrize(
    ("kind", "delta", "is_announced"),
    [
        ("same", 0.002, True),
        ("same", 0.02, False),
        ("not less", 0.002, True),
        ("not less", 0.02, False),
        ("more", 0.002, False),
    ],
)
def test_equality_that_no_networks_could_show_is_announced(kind, delta, is_announced):
    design, request = asked()
    found = out_of_reach(with_part(design, kind=kind, delta=delta), request)
    told = "Probably out of reach: compare-1 (even no difference at all could not be told from one of 0.2 points)."
    assert found == ((told,) if is_announced else ())


def test_what_a_study_knows_beforehand_is_said():
    design, request = asked()
    claim = replace(design.claims[0], reach="take more seeds")
    found = out_of_reach(replace(design, claims=(claim,)), request)
    assert found == ("Probably out of reach: compare-1 (take more seeds).",)


def test_claims_with_one_reason_share_a_sentence_and_one_seed_settles_none():
    design, request = asked()
    two = tuple(replace(design.claims[0], id=name, reach="take more seeds") for name in ("a", "b"))
    both = replace(design, claims=two)
    assert out_of_reach(both, request) == ("Probably out of reach: a, b (take more seeds).",)
    found = out_of_reach(both, replace(request, seeds=(0,)))
    assert found == ("Out of reach: every claim (one seed shows no spread; take at least two).",)


@pytest.mark.slow
def test_it_is_said_once_and_only_where_there_is_work(tmp_path, capsys):
    import gradlab

    given = {"data": "digits", "seeds": 2, "out": tmp_path, "widths": (4, 3), "epochs": 1, "progress": True}
    text = "ut of reach: "
    gradlab.run(
        "tour", data="digits", seeds=1, out=tmp_path, epochs=1, images=10, eps=("8/255",), progress=True
    )
    assert capsys.readouterr().err.count(text) == 1
    gradlab.run(
        "tour", data="digits", seeds=1, out=tmp_path, epochs=1, images=10, eps=("8/255",), progress=True
    )
    assert text not in capsys.readouterr().err
    gradlab.run("compare", **given)
    assert text not in capsys.readouterr().err
