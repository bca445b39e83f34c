"""
What is wrong with one curve: values that are no numbers any more, divergence, silence. Arrays in, findings out.

    first_bad        the point from which on every value is NaN or infinite; a NaN before a number does not count
    divergence       the level at the end is far above the best level, for a metric that should fall
    usual_pause_s    the longest pause between points that is normal

*Divergence* compares levels, not points, so that one noisy point says nothing. With *n* finite values in order of
step, blocks of w = n/50 values (5 at least, 50 at most) have a level each, their median; the newest block ends at the
last value.

    start  the highest of the first block  best   the lowest level of all        now    the lower one of the last two
    noise  1.4826 * median |y[i+1] - y[i]| / sqrt(2), the spread of a point if neighbours had one level

    diverged   <=>   now - best  >  max(RISE_OF_DESCENT * (start - best),  |best|,  NOISES * noise)

So a diverged curve has lost half of its descent, has more than doubled, and has risen clearly out of its noise. It has
done so for two blocks, so a spike that ends is no divergence. A validation loss that rises slowly, as with overfitting,
has lost little of its descent, and is no divergence either. Of 13,000 made curves that do not diverge none was
reported, and of 3,000 that do 0.9 % were missed: bench/results/divergence.json.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aim.storage.forms.records import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

BLOCKS_WANTED = 50
BLOCK_MIN, BLOCK_MAX = 5, 50
BLOCKS_MIN = 4  # a curve of fewer blocks is too short
RISE_OF_DESCENT = 0.5
NOISES = 6.0
MAD_TO_SIGMA = 1.4826  # of a normal distribution
SILENCE_MIN_S = 120.0
PAUSES_USUAL = 30.0  # times the median pause
PAUSES_LONGEST = 3.0  # times the longest one: a validation between epochs is as long each time
PAUSES_MIN = 10  # a sequence of fewer pauses is too short
RECENT_POINTS = 2_000  # the latest, whose pauses count

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
FALLING = frozenset(
    (
        "loss",
        "err",
        "error",
        "nll",
        "perplexity",
        "ppl",
        "mse",
        "rmse",
        "mae",
        "mape",
        "wer",
        "cer",
        "bpb",
        "bpc",
        "xent",
    )
)
PLAYED = frozenset(("policy", "actor", "critic", "value", "vf", "pg", "entropy", "kl"))  # of learning by reward
PLAYED |= {"adv", "adversarial", "gan", "gen", "generator", "disc", "discriminator", "g", "d"}  # of two that compete
MADE_OF = frozenset(("scale", "weight", "coef"))  # numbers that belong to a loss, but are no loss


def should_fall(name: str) -> bool:
    """
    Return whether a metric of that name is one that training makes smaller: its last part says that it is a loss or an
    error, and no part says that it is one side of a game, or a term that trainings with reward do not minimise.

    >>> [should_fall(name) for name in ("loss", "val/loss", "trainLoss", "box_loss", "clsloss", "word_error_rate")]
    [True, True, True, True, True, True]
    >>> [should_fall(name) for name in ("accuracy", "loss_scale", "actor_loss", "lossG", "reward", "glossary")]
    [False, False, False, False, False, False]
    """
    words = [word.lower() for word in _WORD.findall(name.rsplit("/", 1)[-1])]
    return not (PLAYED | MADE_OF).intersection(words) and any(
        word in FALLING or word.endswith("loss") for word in words
    )


@dataclass(frozen=True)
class Divergence:
    """
    A curve that has left its best level for good.

    Attributes:
        step: where it left, and stayed away.
        place: the index of that point.
        best, now: the best level and that of the end.
        times: how many times as far as the limit it has risen; over 1.
    """

    step: int
    index: int
    best: float
    now: float
    times: float


def first_bad(values: FloatArray) -> int | None:
    """
    Return the index from which on all values are NaN or infinite; None when the last one is a number.

    >>> first_bad(np.array([1.0, np.nan, 0.5, np.inf, np.nan])), first_bad(np.array([np.nan, 1.0]))
    (3, None)
    """
    good = np.flatnonzero(np.isfinite(values))
    if not len(good):
        return 0 if len(values) else None
    return None if good[-1] == len(values) - 1 else int(good[-1]) + 1


def may_have_diverged(first: FloatArray, last: FloatArray, low: FloatArray) -> BoolArray:
    """
    Return which curves, by their summaries alone, may have diverged, so that `divergence` should look at their points.

    One point is noise, so this is half as strict. Shapes (n,).

    >>> may_have_diverged(np.array([2.3, 2.3]), np.array([0.4, 2.0]), np.array([0.3, 0.3]))
    array([False,  True])
    """
    with np.errstate(invalid="ignore", over="ignore"):
        limit = np.maximum(RISE_OF_DESCENT * np.maximum(first - low, 0.0), np.abs(low))
        return np.asarray(last - low > limit / 2)


def divergence(steps: IntArray, values: FloatArray) -> Divergence | None:
    """
    Return how a curve that should fall has diverged; None when it has not, or is too short.

    Args:
        steps: shape (n,), increasing.
        values: shape (n,); NaN and infinities are left out.

    Cost: 30 ns a point.

    >>> falling = np.exp(-np.arange(200) / 40)
    >>> divergence(np.arange(200), falling) is None
    True
    >>> left = divergence(np.arange(300), np.append(falling, np.full(100, 2.0)))
    >>> left is not None and (left.step, left.now)
    (200, 2.0)
    """
    finite = np.flatnonzero(np.isfinite(values))
    width = min(BLOCK_MAX, max(BLOCK_MIN, len(finite) // BLOCKS_WANTED))
    if len(finite) < BLOCKS_MIN * width:
        return None
    finite_values = values[finite]
    offset = len(finite_values) % width
    levels = np.median(finite_values[offset:].reshape(-1, width), axis=1)
    lowest = int(np.argmin(levels))
    start, best, now = float(finite_values[:width].max()), float(levels[lowest]), float(levels[-2:].min())
    noise = MAD_TO_SIGMA * float(np.median(np.abs(np.diff(finite_values)))) / math.sqrt(2)
    limit = max(RISE_OF_DESCENT * (start - best), abs(best), NOISES * noise)
    if not now - best > limit:
        return None
    below = np.flatnonzero(finite_values[: len(finite_values) - width] - best <= limit)
    index = int(finite[min(int(below[-1]) + 1, len(finite_values) - 1)]) if len(below) else 0
    return Divergence(int(steps[index]), index, best, now, (now - best) / limit if limit else math.inf)


def usual_pause_s(times_s: FloatArray) -> float | None:
    """
    Return the longest pause between points that is normal for a sequence; None when it is too short.

    It is 30 times the median pause, three times the longest one, and two minutes at least, of the latest 2,000 points.

    >>> usual_pause_s(np.arange(100.0) * 20), usual_pause_s(np.arange(5.0))
    (600.0, None)
    """
    pauses = np.diff(np.sort(times_s[-RECENT_POINTS:]))
    pauses = pauses[pauses > 0]
    if len(pauses) < PAUSES_MIN:
        return None
    return max(SILENCE_MIN_S, PAUSES_USUAL * float(np.median(pauses)), PAUSES_LONGEST * float(pauses.max()))
