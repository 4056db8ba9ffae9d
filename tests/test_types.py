import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gradlab.types import (
    Count,
    Fraction,
    PixelEps,
    PositiveFloat,
    Probability,
    UserError,
    check_pixels,
    derive_seed,
    did_you_mean,
)


def read(kind, value):
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("given_", "number"), [("8/255", 8 / 255), (0.5, 0.5), (0, 0.0), (1, 1.0), ("0.25", 0.25)]
)
def test_a_radius_is_a_number_or_a_fraction_in_words(given_, number):
    assert read(PixelEps, given_) == number


def test_grey_levels_are_refused_with_the_fraction_to_write():
    with pytest.raises(ValidationError, match=r"got 8\. For 8 grey levels write 8/255\."):
        read(PixelEps, 8)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Fraction, 1.1),
        (Fraction, -0.1),
        (Probability, 1.0),
        (PositiveFloat, 0.0),
        (PositiveFloat, float("nan")),
        (Count, 0),
    ],
)
def test_values_out_of_range_are_refused(kind, value):
    with pytest.raises(ValidationError):
        read(kind, value)


def test_a_user_error_is_a_value_error():
    assert issubclass(UserError, ValueError)


@given(st.integers(0, 2**40), st.lists(st.text(max_size=5), max_size=3))
def test_derived_seeds_fit_a_generator_and_follow_from_their_names(seed, names):
    found = derive_seed(seed, *names)
    assert 0 <= found < 2**63
    assert found == derive_seed(seed, *names)
    text = "/".join([str(seed), *names])
    assert found == int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) >> 1


def test_streams_of_other_names_differ():
    assert (
        len({derive_seed(seed, name) for seed in range(50) for name in ("order", "init", "dropout")}) == 150
    )


def test_the_nearest_word_is_suggested():
    assert did_you_mean("residual-mpl", ["residual-mlp", "compare"]) == "did you mean 'residual-mlp'?"
    assert did_you_mean("xyz", ["b", "a"]) == "known are a, b."


def test_a_fraction_of_nothing_is_refused_in_a_sentence():
    with pytest.raises(ValidationError, match="a fraction needs a denominator other than 0, got 8/0"):
        read(PixelEps, "8/0")


@pytest.mark.parametrize("value", [-0.1, 300, float("nan")])
def test_what_is_no_grey_level_is_refused_without_a_fraction(value):
    with pytest.raises(UserError, match=r"step must lie in \[0, 1\] on the pixel scale, got [^ ]+\.$"):
        check_pixels(value, "step")
