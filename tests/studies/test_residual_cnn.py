import pytest

from gradlab.models.named import NETS
from gradlab.studies import STUDIES, build_design
from gradlab.studies.setup import Setup
from gradlab.types import UserError
from tests.studies.setups import setup

PUBLISHED = ("000", "001", "002", "003", "004")


def design(preset="standard", data="mnist", more=None, **parameters):
    return build_design(
        STUDIES["residual-cnn"], "residual-cnn", setup(preset, data, **(more or {})), parameters
    )


def models(made):
    return {arm.name: arm.procedure.model for arm in made.arms}


@pytest.mark.parametrize("setting", ["scaled", *PUBLISHED])
def test_twins_differ_in_the_skips_alone(setting):
    made = design(setting=setting)
    nets = models(made)
    for twins in made.twins:
        plain, residual = nets[twins.b], nets[twins.a]
        changed = {name for name, value in vars(plain).items() if getattr(residual, name) != value}
        assert changed == {"residual"}
        assert residual.residual
        assert plain.convolutions((3, 32, 32)) == residual.convolutions((3, 32, 32))
    assert len({(arm.procedure.recipe, arm.procedure.train_images) for arm in made.arms}) == 1
    assert bool(made.twins) == (setting != "001")


def test_twins_have_equally_many_parameters_but_for_projections():
    for setting in ("scaled", "000", "002", "004", "003"):
        made = design(setting=setting)
        nets = models(made)
        for twins in made.twins:
            less = nets[twins.b].parameter_count((3, 32, 32), 10)
            more = nets[twins.a].parameter_count((3, 32, 32), 10)
            assert (more > less) if setting == "003" else (more == less)


def test_scaled_nets_are_those_of_he_et_al_with_as_many_layers_as_their_names_say():
    made = design()
    assert [arm.name for arm in made.arms] == [
        f"{kind}-{depth}" for depth in (8, 20, 32) for kind in ("plain", "residual")
    ]
    for arm in made.arms:
        layers = len(arm.procedure.model.convolutions((3, 32, 32))) + 1  # and the head
        assert layers == arm.factors["depth"]
    resnet20 = NETS["resnet20"].config
    ours = models(made)["residual-20"]
    assert ours.parameter_count((3, 32, 32), 10) == resnet20.parameter_count((3, 32, 32), 10)
    assert {arm.procedure.train_images for arm in made.arms} == {8_000}


def test_published_settings_have_the_published_nets_and_parameters():
    """Counts worked out from the labs' own code, in thousands; the plain nets of 000 in millions."""
    counts = {
        name: round(model.parameter_count((3, 32, 32), 10), -3)
        for setting in PUBLISHED
        for name, model in ((f"{setting} {one}", net) for one, net in models(design(setting=setting)).items())
    }
    expected = {
        "000 residual-2": 150_000, "000 residual-3": 224_000, "000 residual-6": 446_000, "000 flat-2": 2_120_000,
        "000 flat-3": 4_290_000, "000 flat-6": 8_390_000, "002 residual-2": 42_000, "002 residual-5": 112_000,
        "002 residual-7": 158_000, "004 residual-5": 372_000, "004 residual-10": 742_000, "004 residual-15": 1_112_000,
    }  # fmt: skip
    for name, count in expected.items():
        assert counts[name] == pytest.approx(count, rel=0.01), name


@pytest.mark.parametrize("setting", PUBLISHED)
def test_a_published_setting_on_cifar10_is_that_setting(setting):
    cifar10 = Setup(
        preset="full", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
    )
    made = build_design(STUDIES["residual-cnn"], "residual-cnn", cifar10, {"setting": setting})
    assert len(made.deviations) == (1 if setting == "001" else 0)  # its stopping rule is not published
    assert made.setting == setting
    (on_mnist,) = [one for one in design(setting=setting).deviations if "instead of cifar10" in one]
    assert on_mnist == "data mnist instead of cifar10"


def test_scaled_claims_say_that_they_are_not_in_the_published_setting():
    for claim in design().claims:
        assert (claim.published is None) == (claim.deviations is None)


def test_small_data_is_asked_for_large_effects():
    made = design("quick", "digits")
    assert [claim.id for claim in made.claims][:2] == ["residual-cnn-deep", "C004-05"]
    assert {part.delta for claim in made.claims[:3] for part in claim.parts} == {0.02}


def test_one_depth_leaves_out_what_compares_depths():
    assert len(design(depths=(20,)).claims) < len(design().claims)
    assert [claim.id for claim in design("quick", "digits", depths=(20,)).claims] == [
        "residual-cnn-deep", "residual-cnn-flow",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"depths": (9,)}, "depths are 8, 14, 20, … (three stages of two-layer blocks, stem and head), got 9."),
        ({"depths": (2,)}, "depths are 8, 14, 20, … (three stages of two-layer blocks, stem and head), got 2."),
        ({"depths": (8, 500)}, "depths needs numbers up to 200, for example 8 20; got (8, 500)."),
        ({"depths": (5,), "setting": "003"}, "setting 003 has the depths (18, 34); choose among these, got (5,)."),
    ],
)  # fmt: skip
def test_depths_that_no_net_has(given, sentence):
    with pytest.raises(UserError) as caught:
        design(**given)
    assert str(caught.value) == sentence
