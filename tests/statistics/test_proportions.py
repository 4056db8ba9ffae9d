import pytest
from scipy import stats

from gradlab.statistics import clopper_pearson, wilson
from gradlab.types import UserError

CASES = [(0, 6), (1, 6), (4, 6), (6, 6), (0, 1), (353, 360), (9_871, 10_000)]


@pytest.mark.parametrize(("k", "n"), CASES)
@pytest.mark.parametrize("level", [0.95, 0.995])
@pytest.mark.parametrize(("method", "name"), [(clopper_pearson, "exact"), (wilson, "wilson")])
def test_agrees_with_scipy(k: int, n: int, level: float, method, name: str) -> None:  # type: ignore[no-untyped-def]
    reference = stats.binomtest(k, n).proportion_ci(level, method=name)
    found = method(k, n, level)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=1e-10)
    assert found.estimate == k / n


def test_clopper_pearson_of_none_has_the_closed_form() -> None:
    assert clopper_pearson(0, 6).high == pytest.approx(1 - 0.025 ** (1 / 6))


def test_clopper_pearson_covers_every_proportion() -> None:
    for p in (0.03, 0.2, 0.5, 0.9):
        inside = [
            stats.binom.pmf(k, 6, p)
            for k in range(7)
            if clopper_pearson(k, 6).low <= p <= clopper_pearson(k, 6).high
        ]
        assert sum(inside) >= 0.95


@pytest.mark.parametrize(("k", "n"), [(-1, 6), (7, 6), (2.5, 6)])
def test_count_outside_its_total_is_refused(k: float, n: int) -> None:
    with pytest.raises(UserError, match=f"whole number k from 0 to n, got k = {k} and n = {n}"):
        wilson(k, n)  # type: ignore[arg-type]


def test_no_trials_are_refused() -> None:
    with pytest.raises(UserError, match="n must be a whole number, at least 1, got 0"):
        clopper_pearson(0, 0)
