"""Claims of all studies: what they ask, what they answer, and what may not change on MNIST."""

import hashlib
import re
from pathlib import Path

import pytest

from gradlab.lab.judging.answer import CHOICE, FIELD
from gradlab.lab.kinds import kind_of
from gradlab.procedures.toolbox import TOOLBOX
from gradlab.report.levels import arm_of, at_level
from gradlab.studies import STUDIES, build_design
from tests.studies.setups import ENCODER, setup

IMAGES = [
    name
    for name in STUDIES
    if name not in ("text-layers", "text-features", "text-finetuning", "text-ood", "compare", "tour")
]
CASES = [
    (name, data, preset) for name in IMAGES for data in ("mnist", "digits") for preset in ("quick", "full")
]
NUMBERS = {"estimate", "size", "low", "high", "reading", "subjects", "failed", "fails", "undecided"}


def made(name, data, preset, **parameters):
    return build_design(STUDIES[name], name, setup(preset, data), parameters)


def every_design():
    designs = [made(*case) for case in CASES]
    designs += [made("residual-mlp", "mnist", "full", setting=one) for one in ("004", "000", "001")]
    designs += [
        made("residual-cnn", "mnist", "full", setting=one) for one in ("000", "001", "002", "003", "004")
    ]
    designs += [made(name, "digits", "quick") for name in ("tour", "compare")]
    designs += [made("text-features", "digits", preset) for preset in ("quick", "standard")]
    designs += [made(name, "digits", "full", model=ENCODER) for name in ("text-finetuning", "text-ood")]
    return [*designs, made("text-layers", "digits", "full")]


DESIGNS = every_design()
IDS = [f"{design.study}-{place}" for place, design in enumerate(DESIGNS)]


def test_every_study_is_asked_in_all_its_forms():
    assert {design.study for design in DESIGNS} == set(STUDIES)
    assert len(DESIGNS) == 99


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_the_first_claim_answers_whatever_its_verdict(design):
    assert set(design.claims[0].says) == {"supported", "refuted", "open"}


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_sentences_name_arms_and_measures_that_the_study_has(design):
    names = {arm.name: arm for arm in design.arms}
    for claim in design.claims:
        for sentence in (*claim.says.values(), claim.subject):
            assert not sentence or sentence in claim.subject or sentence.endswith(".")
            for field in FIELD.findall(CHOICE.sub("", sentence)):
                if field in NUMBERS:
                    continue
                if field.startswith("opposite "):
                    table, _, row = field.removeprefix("opposite ").partition(": ")
                    assert row in ({one.name: one for one in design.tables}[table].signs or ()) + (
                        "seed",
                        "measure",
                    )
                    continue
                if " > " in field:
                    assert {one.removeprefix("any ") for one in field.split(" > ")} <= set(names)
                    continue
                arm, _, measure = (field, "", "") if field in names else field.partition(": ")
                kind = kind_of(names[arm].procedure, TOOLBOX.kinds)
                assert (measure or claim.parts[0].measure) in kind.measures, field


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_every_claim_is_explained_and_shown(design):
    figures = {figure.name for figure in design.figures}
    for claim in design.claims:
        assert len(re.findall(r"[.?!](?= |$)", claim.means)) >= 2, claim.id
        assert claim.figure in figures, claim.id


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_what_is_said_to_be_equal_is_judged_as_equal(design):
    for claim in design.claims:
        kinds = {part.kind for part in claim.parts}
        if re.search(
            r"as accurate as|equally|as well as|accuracy the same|changes the accuracy by less"
            r"|alike, to within|stays the same, to within",
            claim.statement,
        ):
            assert kinds == {"same"}, claim.id
        elif re.search(
            r"points less accurate|costs? (at most|less than)|loses less than|at most two points easier|at least as good",
            claim.statement,
        ):
            assert kinds == {"not less"}, claim.id
        else:
            assert kinds == {"more"}, claim.id


def test_what_is_asked_of_one_arm_is_what_the_claim_says():
    """The bound that is tested, the one that a report shows and the one in the sentence are the same."""
    points, found = {0.02: "two points", 0.05: "five points", 0.15: "15 points"}, set()
    for claim in (claim for design in DESIGNS for claim in design.claims):
        if not all(arm_of(vars(part.contrast)) for part in claim.parts):
            continue  # a condition beside comparisons, told by its part alone
        for part in claim.parts:
            unit = "" if part.measure == "SSIM" else "fraction"
            asked = at_level({"kind": part.kind, "delta": part.delta, "unit": unit}, vars(part.contrast))[
                "against"
            ].asked
            said = claim.statement.replace("half of the images", "50 % of the images")
            more = re.search(r"over (.*? points).* (above|better than) (chance|guessing)", said)
            if more:
                assert (1 / part.contrast.constant).is_integer(), claim.id  # guessing among so many classes
                assert more[1].endswith(points[part.delta]), claim.id
            else:
                assert asked in re.sub(r"over (?=\d)", "above ", said), (claim.id, asked)
        found.add(claim.id)
    assert found >= {
        "C000-01",
        "C004-02",
        "C004-03",
        "C000-13",
        "C001-09",
        "C004-14",
        "looks-patch",
        "tour-noticed",
    }
    assert len(found) == 19


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_published_values_link_to_their_lab_as_the_page_that_introduces_it_does(design):
    page = (Path(__file__).parents[2] / "docs" / "published.md").read_text()
    sections = {part.split("\n")[0]: part for part in page.split("\n## ")}
    for claim in design.claims:
        if claim.published is not None:
            section = sections[claim.published.source.split(",")[0].capitalize()]
            if claim.published.link:
                assert f"]({claim.published.link})" in section
            else:
                assert claim.published.source == "lab 001, whose texts alone are known"
                assert "no link here" in section


@pytest.mark.parametrize("name", IMAGES)
def test_small_data_are_asked_for_differences_that_a_few_hundred_images_can_show(name):
    for claim in made(name, "digits", "quick").claims:
        for part in claim.parts:
            if part.measure == "test accuracy" and claim.published is None:
                assert part.delta >= 0.02 or "above" in claim.statement, claim.id


FIXED = {
    ("residual-mlp", "003"): "38dc90f713a9",
    ("residual-mlp", "004"): "37f0fa8a88f0",
    ("residual-mlp", "000"): "d8226a1f91c0",
    ("residual-mlp", "001"): "f6a8271559cb",
    ("mlp-capacity", None): "344fdcbbda73",
    ("activations", None): "37444009ac15",
    ("regularisers", None): "32de7cc19b8a",
    ("optimisers", None): "6e2de8e5a796",
}
"""Digest of every comparison on MNIST: measure, contrast and smallest effect, whose committed results rest on them."""


@pytest.mark.parametrize(("name", "setting"), FIXED)
def test_comparisons_on_mnist_are_those_of_the_committed_results(name, setting):
    given = {} if setting is None else {"setting": setting}
    compared = sorted(
        repr((part.measure, part.delta, sorted(part.contrast.weights.items()), part.contrast.constant))
        for claim in made(name, "mnist", "standard", **given).claims
        for part in claim.parts
    )
    assert hashlib.sha256("\n".join(compared).encode()).hexdigest()[:12] == FIXED[name, setting]
