import pytest

from gradlab.statistics import alpha_at
from gradlab.types import UserError


def test_first_looks_spend_the_published_rates() -> None:
    assert [alpha_at(look) for look in (1, 2, 3, 4)] == pytest.approx([0.04, 0.005, 0.0025, 0.00125])


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_all_looks_together_spend_exactly_alpha(alpha: float) -> None:
    assert sum(alpha_at(look, alpha) for look in range(1, 60)) == pytest.approx(alpha, rel=1e-12)


@pytest.mark.parametrize("look", [0, -1, 1.5])
def test_look_must_be_a_whole_number_from_one(look: float) -> None:
    with pytest.raises(UserError, match="look must be a whole number, at least 1"):
        alpha_at(look)  # type: ignore[arg-type]


@pytest.mark.parametrize("alpha", [0, 1, 5])
def test_alpha_in_percent_is_refused(alpha: float) -> None:
    with pytest.raises(UserError, match=r"alpha must lie strictly between 0 and 1.*write 0\.95"):
        alpha_at(1, alpha)
