"""
Student's t distribution, compared with scipy's.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from aim.engine.student import incomplete_beta, two_sided_p, two_sided_t

DEGREES = (0.5, 1.0, 2.0, 3.7, 10.0, 99.5, 5000.0)


@pytest.mark.parametrize("degrees", DEGREES)
def test_probabilities_are_those_of_scipy(degrees: float) -> None:
    """
    From the middle to the far tail, for whole and for broken degrees of freedom.
    """
    values = [0.0, 1e-6, 0.3, 1.0, 1.96, 4.0, 20.0]

    assert [two_sided_p(value, degrees) for value in values] == pytest.approx(
        [2 * stats.t.sf(value, degrees) for value in values], rel=1e-9
    )


@pytest.mark.parametrize("degrees", DEGREES)
def test_quantiles_are_those_of_scipy(degrees: float) -> None:
    """
    Of narrow and of wide intervals.
    """
    shares = [0.5, 0.8, 0.95, 0.999]

    assert [two_sided_t(share, degrees) for share in shares] == pytest.approx(
        [stats.t.ppf(0.5 + share / 2, degrees) for share in shares], rel=1e-9
    )


def test_the_incomplete_beta_function_is_that_of_scipy() -> None:
    """
    For random arguments on both sides of its mean, and at the ends.
    """
    random = np.random.default_rng(3)
    arguments = [(float(x), float(a), float(b)) for x, a, b in random.uniform(0, [1, 50, 50], (200, 3))]
    arguments += [(0.0, 2.0, 3.0), (1.0, 2.0, 3.0)]

    assert [incomplete_beta(x, a, b) for x, a, b in arguments] == pytest.approx(
        [special.betainc(a, b, x) for x, a, b in arguments], rel=1e-9, abs=1e-300
    )
