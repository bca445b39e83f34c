"""
How often `engine.anomalies.divergence` is wrong, on made curves of which is known whether they diverge.

    python -m bench divergence        1,000 curves of each kind, 30 to 3,000 points long

The curves that do not diverge are those that are easily taken for it: noise of several sizes and tails, plateaus,
overfitting, spikes that end, restarts of the learning rate, curves that never fall.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.engine.anomalies import divergence
from bench import report

CURVES = 1_000
Curve = npt.NDArray[np.float64]
Make = Callable[[np.random.Generator, int], Curve]


def falling(random: np.random.Generator, count: int) -> Curve:
    """A power law or an exponential, from about 2.3 down to a floor."""
    at = np.linspace(0, 1, count)
    floor = random.uniform(0.01, 1.5)
    speed = random.uniform(2, 30)
    shape = np.exp(-speed * at) if random.random() < 0.5 else (1 + speed * at) ** -random.uniform(0.3, 1.5)
    return np.asarray(floor + random.uniform(0.5, 4) * shape)


def normal(share: float) -> Make:
    """Noise of so large a share of the curve's range."""

    def make(random: np.random.Generator, count: int) -> Curve:
        curve = falling(random, count)
        return curve + random.normal(0, share * np.ptp(curve), count)

    return make


def multiplied(random: np.random.Generator, count: int) -> Curve:
    """Noise in proportion to the value, log-normal, as a loss of small batches has it."""
    return falling(random, count) * np.exp(random.normal(0, random.uniform(0.1, 0.8), count))


def heavy(random: np.random.Generator, count: int) -> Curve:
    """Noise with heavy tails: Student's t with two degrees of freedom."""
    curve = falling(random, count)
    return curve + 0.05 * np.ptp(curve) * random.standard_t(2, count)


def flat(random: np.random.Generator, count: int) -> Curve:
    """A curve that never learns."""
    return random.uniform(0.05, 3) + random.normal(0, random.uniform(0.01, 0.5), count)


def overfitted(random: np.random.Generator, count: int) -> Curve:
    """A validation loss that rises slowly after its best."""
    curve = falling(random, count)
    rise = np.clip(np.linspace(-1, 1, count), 0, None) * random.uniform(0.05, 0.35) * np.ptp(curve)
    return curve + rise + random.normal(0, 0.03 * np.ptp(curve), count)


def spiked(random: np.random.Generator, count: int) -> Curve:
    """Spikes that end, up to 1 % of the curve each, the last one near its end."""
    curve = normal(0.03)(random, count)
    width = max(1, count // 100)
    for _ in range(5):
        start = random.integers(0, count - width)
        curve[start : start + width] += random.uniform(1, 20)
    curve[-1 if width < 3 else -width // 3 :] += random.uniform(1, 20)
    return curve


def restarted(random: np.random.Generator, count: int) -> Curve:
    """A schedule that begins again four times, each time losing a quarter of what was won."""
    curve = falling(random, count)
    wave = (np.arange(count) % max(1, count // 4)) / max(1, count // 4)
    return curve + 0.25 * np.ptp(curve) * np.exp(-8 * wave) + random.normal(0, 0.02 * np.ptp(curve), count)


def correlated(random: np.random.Generator, count: int) -> Curve:
    """Noise that lasts some points, as of a shuffled epoch."""
    curve = falling(random, count)
    noise = np.convolve(random.normal(0, 1, count + 9), np.full(10, 0.1), "valid")
    return curve + 0.2 * np.ptp(curve) * noise


def exploded(random: np.random.Generator, count: int) -> Curve:
    """Grows without end from some place on, to 5 to 1,000 times its start."""
    curve = normal(random.uniform(0.01, 0.2))(random, count)
    start = int(count * random.uniform(0.1, 0.85))
    growth = np.log(random.uniform(5, 1_000)) * np.linspace(0, 1, count - start)
    curve[start:] = np.abs(curve[start:]) + curve[0] * (np.exp(growth) - 1)
    return curve


def collapsed(random: np.random.Generator, count: int) -> Curve:
    """Jumps back to where it began, or above, and stays there."""
    level = falling(random, count)
    start = int(count * random.uniform(0.4, 0.85))
    high = level[0] * random.uniform(1.1, 3)
    level[start:] = high
    return level + random.normal(0, random.uniform(0.01, 0.1) * np.ptp(level), count)


def swinging(random: np.random.Generator, count: int) -> Curve:
    """Swings wider and wider."""
    curve = normal(0.02)(random, count)
    start = int(count * random.uniform(0.2, 0.6))
    swing = np.exp(np.linspace(0, random.uniform(3, 6), count - start))
    curve[start:] += swing * random.uniform(0.5, 1.5, count - start)
    return curve


SOUND: dict[str, Make] = {
    **{f"noise of {share:.0%}": normal(share) for share in (0.01, 0.05, 0.1, 0.2, 0.5, 1.0)},
    **{make.__name__: make for make in (multiplied, heavy, flat, overfitted, spiked, restarted, correlated)},
}
DIVERGED: dict[str, Make] = {make.__name__: make for make in (exploded, collapsed, swinging)}


def share_called(make: Make, curves: int) -> float:
    """Return the share of curves that are called diverged."""
    random = np.random.default_rng(7)
    called = 0
    for _ in range(curves):
        count = int(np.exp(random.uniform(np.log(30), np.log(3_000))))
        called += divergence(np.arange(count), make(random, count)) is not None
    return called / curves


def main(words: list[str]) -> None:
    """Measure, print, store."""
    curves = int(words[0]) if words else CURVES
    results: dict[str, Any] = {
        "curves of each kind": curves,
        "called diverged, wrongly": {name: share_called(make, curves) for name, make in SOUND.items()},
        "called diverged, rightly": {name: share_called(make, curves) for name, make in DIVERGED.items()},
    }
    wrongly, rightly = results["called diverged, wrongly"], results["called diverged, rightly"]
    results["false alarms"] = round(sum(wrongly.values()) / len(wrongly), 5)
    results["missed"] = round(1 - sum(rightly.values()) / len(rightly), 5)
    report.table(("curves", "called diverged"), list({**wrongly, **rightly}.items()))
    report.store("divergence", results)


if __name__ == "__main__":
    main(sys.argv[1:])
