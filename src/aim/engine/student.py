"""
Student's t distribution: how probable a value is, and which values hold a share of the probability.

Its distribution function is a regularized incomplete beta function, evaluated as a continued fraction by the modified
method of Lentz (W. J. Lentz, Applied Optics 15:668, 1976; DLMF 8.17.22). The inverse halves an interval: 200 halvings
of a bracket are exact to the last digits, and this is asked a few times for a comparison, not for each point.
"""

from __future__ import annotations

import math

TERMS_MAX = 2000
CLOSE = 1e-16
TINY = 1e-300
HALVINGS = 200


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, which converges fast below its mean."""
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, TERMS_MAX):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for coefficient in (even, odd):
            d = 1.0 / _not_zero(1.0 + coefficient * d)
            c = _not_zero(1.0 + coefficient / c)
            value *= c * d
        if abs(c * d - 1.0) < CLOSE:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def incomplete_beta(x: float, a: float, b: float) -> float:
    """
    Return the regularized incomplete beta function.

    >>> incomplete_beta(0.25, 1.0, 1.0)
    0.25
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    log_front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    if x < (a + 1.0) / (a + b + 2.0):
        return math.exp(log_front) * _fraction(x, a, b) / a
    return 1.0 - math.exp(log_front) * _fraction(1.0 - x, b, a) / b


def two_sided_p(t: float, degrees: float) -> float:
    """
    Return the probability that |T| is at least |*t*|, with *degrees* of freedom, which need not be whole.

    >>> round(two_sided_p(2.776445105198, 4), 6)
    0.05
    """
    square = t * t
    if square < 1.0:  # so small a square would be lost beside the degrees of freedom
        return 1.0 - incomplete_beta(square / (degrees + square), 0.5, degrees / 2.0)
    return incomplete_beta(degrees / (degrees + square), degrees / 2.0, 0.5)


def two_sided_t(confidence: float, degrees: float) -> float:
    """
    Return the t with |T| <= t at the probability *confidence*, 0 to 1 without its ends.

    >>> round(two_sided_t(0.95, 4), 6)
    2.776445
    """
    outside = 1.0 - confidence
    low, high = 0.0, 1.0
    while two_sided_p(high, degrees) > outside:
        high *= 2.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if two_sided_p(middle, degrees) > outside else (low, middle)
    return (low + high) / 2.0
