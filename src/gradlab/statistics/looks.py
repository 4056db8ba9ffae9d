"""What each look at growing data may spend of the error rate."""

from __future__ import annotations

from gradlab.statistics._checks import check_count, check_level

FIRST_LOOK_SHARE = 0.8


def alpha_at(look: int, alpha: float = 0.05) -> float:
    """Return the error rate that look number `look` may spend; all looks together spend at most `alpha`.

    Look 1 spends 0.8 alpha, look j >= 2 spends 0.2 alpha / 2^(j-1): 0.04, 0.005, 0.0025, ... for 0.05.

    Args:
        look: 1 for the first verdict, 2 after seeds were added to a verdict that was seen, and so on.
        alpha: error rate of the whole study, in (0, 1).

    Raises:
        UserError: `look` is not a whole number from 1, or `alpha` is outside (0, 1).

    >>> [round(alpha_at(look), 6) for look in (1, 2, 3)]
    [0.04, 0.005, 0.0025]
    """
    check_count(look, "look")
    check_level(alpha, "alpha")
    if look == 1:
        return FIRST_LOOK_SHARE * alpha
    return float((1 - FIRST_LOOK_SHARE) * alpha * 0.5 ** (look - 1))
