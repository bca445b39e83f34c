"""
Distributions: histograms.

    field          meaning
    weights        what each bin holds: counts, or any numbers
    dtype          numpy's name of their type, such as int64
    range          [lowest edge, highest edge]
    edges          all edges, when the bins are not of equal width; else left out
    bin_count      how many bins, 1 or more
    ignored_count  samples that were NaN or infinite, and are in no bin; left out when there are none

All of it is fields: a histogram of 64 bins is some 200 bytes of JSON and needs no file of its own. Aim 3 documents a
limit of 512 bins and never refused more, so trainings have more: they are kept.

Samples that are no numbers are left out and counted, with one warning: a gradient with a NaN in it is the moment
when its distribution is worth seeing, and no reason to end the training.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import UntrackableValue
from aim.core.values import Loader
from aim.sdk.objects.custom import CustomObject
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.recognise import is_array, numpy_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BIN_COUNT_DEFAULT = 64
SPAN_MAX = 1e308  # edges are computed as multiples of the width, and have to stay below the largest double


class Distribution(CustomObject):
    """
    One histogram, of samples or ready-made: give exactly one of *samples* and *hist*.

    Args:
        samples: numbers in any shape: an array or tensor of any library, or nested lists.
        bin_count: how many bins of equal width, 1 or more; they reach from the lowest to the highest sample.
        hist: what each bin holds, shape (bins,).
        bin_range: the lowest and the highest edge of *hist*.

    Raises:
        UntrackableValue: (a ValueError) both or none are given, no bins, or values that are no numbers.

    Cost: one pass over the samples, in the constructor: nothing of them is kept. 1 M float32: 6 ms.

    >>> Distribution([1, 2, 2, 4], bin_count=3).to_np_histogram()
    (array([1, 2, 1]), array([1., 2., 3., 4.]))
    """

    AIM_NAME: ClassVar[str] = "aim.distribution"

    def __init__(
        self,
        samples: Any = None,
        bin_count: int = BIN_COUNT_DEFAULT,
        *,
        hist: Any = None,
        bin_range: Sequence[float] | None = None,
    ) -> None:
        if samples is None and hist is None:
            raise UntrackableValue("Distribution needs either samples or hist (with bin_range).")
        if samples is not None and hist is not None:
            raise UntrackableValue("Distribution takes either samples or hist, not both.")
        super().__init__(_of_samples(samples, bin_count) if samples is not None else _of_histogram(hist, bin_range))

    @classmethod
    def from_samples(cls, samples: Any, bin_count: int = BIN_COUNT_DEFAULT) -> Distribution:
        """Return the distribution of *samples* over *bin_count* bins."""
        return cls(samples=samples, bin_count=bin_count)

    @classmethod
    def from_histogram(cls, hist: Any, bin_range: Sequence[float]) -> Distribution:
        """
        Return the distribution with the bins *hist*, of equal width over *bin_range*.

        >>> Distribution.from_histogram([3, 1], bin_range=(0, 1)).ranges
        array([0. , 0.5, 1. ])
        """
        return cls(hist=hist, bin_range=bin_range)

    @classmethod
    def from_edges(cls, hist: Any, edges: Any) -> Distribution:
        """
        Return the distribution with the bins *hist* between neighbours of *edges*, which has one more.

        Raises:
            UntrackableValue: there are not as many edges, or they do not increase.

        >>> Distribution.from_edges([3, 1], [0, 1, 10]).to_np_histogram()
        (array([3, 1]), array([ 0.,  1., 10.]))
        """
        import numpy as np

        limits = _numbers(edges, "edges").astype(np.float64)
        if limits.ndim != 1 or len(limits) < 2 or not np.isfinite(limits).all() or (np.diff(limits) < 0).any():
            raise UntrackableValue("edges have to be two or more numbers in a row, each at least the one before it.")
        self = cls.from_histogram(hist, [float(limits[0]), float(limits[-1])])
        if self.bin_count != len(limits) - 1:
            raise UntrackableValue(f"there are {self.bin_count} bins and {len(limits)} edges; expected one edge more.")
        if not np.array_equal(limits, self.ranges):
            self._fields["edges"] = limits.tolist()
        return self

    @classmethod
    def _from_stored(cls, fields: Mapping[str, Any], load: Loader) -> Distribution:
        """Return the distribution that was stored with *fields*; it has no bytes to load."""
        self = super()._from_stored(fields, load)
        self._content = None
        return self

    @property
    def bin_count(self) -> int:
        """The number of bins."""
        return int(self._fields.get("bin_count", 0))

    @property
    def range(self) -> list[float]:
        """The lowest and the highest edge."""
        return list(self._fields.get("range", [0.0, 1.0]))

    @property
    def weights(self) -> NDArray[np.generic]:
        """What each bin holds, shape (bin_count,)."""
        import numpy as np

        return np.array(self._fields.get("weights", []), self._fields.get("dtype", "float64"))

    @property
    def ranges(self) -> NDArray[np.float64]:
        """The edges of the bins, shape (bin_count + 1,)."""
        import numpy as np

        if "edges" in self._fields:
            return np.array(self._fields["edges"], np.float64)
        low, high = self.range
        return np.linspace(low, high, self.bin_count + 1)

    @property
    def ignored_count(self) -> int:
        """How many samples were NaN or infinite, and are in no bin."""
        return int(self._fields.get("ignored_count", 0))

    def to_np_histogram(self) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
        """Return weights and edges, as `numpy.histogram` does."""
        return self.weights, self.ranges

    def json(self) -> dict[str, Any]:
        """Return bin_count and range."""
        return {"bin_count": self.bin_count, "range": self.range}

    def __repr__(self) -> str:
        low, high = self.range
        return f"<Distribution of {self.bin_count} bins over [{low:g}, {high:g}]>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        weights = [float(weight) for weight in self._fields.get("weights", [])]
        low, high = self.range
        return media.distribution(weights, low, high, self.ignored_count)


def _of_samples(samples: Any, bin_count: int) -> dict[str, Any]:
    import numpy as np

    if not hasattr(bin_count, "__index__") or bin_count < 1:
        raise UntrackableValue(f"bin_count is {bin_count!r}; expected a whole number, 1 or more.")
    bin_count = int(bin_count)
    flat = _numbers(samples, "samples").ravel()
    # Doubles, because edges of single floats would lie beside those that `ranges` gives.
    finite = flat[np.isfinite(flat)].astype(np.float64)
    low, high = _bounds(finite, bin_count)
    weights, _ = np.histogram(finite, bins=bin_count, range=(low, high))
    fields = {
        "weights": weights.tolist(),
        "dtype": str(weights.dtype),
        "range": [low, high],
        "bin_count": bin_count,
    }
    if finite.size < flat.size:
        fields["ignored_count"] = int(flat.size - finite.size)
        warn_once(
            "ignored samples",
            f"Distribution: {flat.size - finite.size} of {flat.size} samples are NaN or infinite; they are in no bin. "
            "`ignored_count` has their number. This is said once.",
        )
    return fields


def _of_histogram(hist: Any, bin_range: Sequence[float] | None) -> dict[str, Any]:
    import numpy as np

    if bin_range is None:
        raise UntrackableValue("Distribution with hist needs bin_range, the lowest and the highest edge.")
    weights, edges = _numbers(hist, "hist"), _numbers(bin_range, "bin_range")
    if weights.ndim != 1 or not weights.size:
        raise UntrackableValue(f"hist has shape {weights.shape}; expected bins in a row, 1 or more.")
    if not np.isfinite(weights).all():
        raise UntrackableValue("hist has bins that are NaN or infinite.")
    if edges.shape != (2,) or not np.isfinite(edges).all() or not 0 <= float(edges[1]) - float(edges[0]) <= SPAN_MAX:
        raise UntrackableValue(f"bin_range is {bin_range!r}; expected two numbers, the lower first.")
    return {
        "weights": weights.tolist(),
        "dtype": str(weights.dtype),
        "range": [float(edges[0]), float(edges[1])],
        "bin_count": int(weights.size),
    }


def _numbers(values: Any, name: str) -> NDArray[Any]:
    import numpy as np

    try:
        array = numpy_of(values) if is_array(values) else np.asarray(values)
    except ValueError as error:
        raise UntrackableValue(f"{name} are no array of numbers: {error}.") from error
    if array.dtype.kind == "b":
        return array.astype(np.int64)
    if array.dtype.kind not in "iuf":
        raise UntrackableValue(f"{name} are of type {array.dtype}; expected numbers.")
    # Types wider than a double have no JSON form; half floats overflow when their range is divided.
    return array.astype(np.float64) if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8) else array


def _bounds(finite: NDArray[Any], bin_count: int) -> tuple[float, float]:
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if high - low > SPAN_MAX:
        raise UntrackableValue(f"samples from {low:g} to {high:g} are too far apart for bins of equal width.")
    # Samples that are nearly one value need room for edges that differ; 0.5 is numpy's choice for equal ones.
    if (high - low) / bin_count <= 4 * math.ulp(max(abs(low), abs(high))):
        middle, half = low / 2 + high / 2, max(0.5, bin_count * 4 * math.ulp(max(abs(low), abs(high))))
        return max(middle - half, -sys.float_info.max), min(middle + half, sys.float_info.max)
    return low, high
