"""
`Metric`: a series of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.kinds import METRIC
from aim.core.summaries import NAN, Summary
from aim.sdk.sequence import Sequence

if TYPE_CHECKING:
    import pandas as pd

    from aim.storage.arrayview import ArrayView


class Metric(Sequence):
    """
    A tracked series of numbers.

    `first`, `last`, `min`, `max`, `mean`, `std`, `median`, `count`, `argmin` and `argmax` mean what they mean in
    queries and tables.

    >>> import tempfile
    >>> from aim.sdk.run import Run
    >>> run = Run(repo=tempfile.mkdtemp())
    >>> for value in (3, 2.5):
    ...     run.track(value, name="loss")
    >>> run.get_metric("loss").values.sparse_list()
    ([0, 1], [3, 2.5])
    >>> metric = run.get_metric("loss")
    >>> metric.last, metric.min, metric.argmin, metric.mean, metric.count
    (2.5, 2.5, 1, 2.75, 2)
    >>> run.close()
    """

    _subject: ClassVar[str] = METRIC

    # Of several properties of one metric each reads the points, as everything here does. Queries and tables take the
    # same values from the catalogue: core/summaries.py.

    @property
    def values(self) -> ArrayView[Any]:
        """The values by step. Of a run on a server the last ones, the first one and how many there are travel alone."""
        from aim.sdk.number_view import NumberView
        from aim.storage.reading.asked_points import AskedPoints

        points = self._asked_points()
        return NumberView(points) if isinstance(points, AskedPoints) else self._view(points)

    @property
    def first(self) -> float:
        """The value at the first step; NaN when nothing is tracked."""
        points = self._asked_points()
        return points.first()[1] if len(points) else NAN

    @property
    def last(self) -> float:
        """The value at the last step; NaN when nothing is tracked."""
        points = self._asked_points()
        return points.last()[1] if len(points) else NAN

    @property
    def min(self) -> float:
        """The lowest value, NaN left out; NaN when there is none."""
        return self._extreme("min")

    @property
    def max(self) -> float:
        """The highest value, NaN left out; NaN when there is none."""
        return self._extreme("max")

    @property
    def argmin(self) -> int | None:
        """The first step that has the lowest value; None when nothing is tracked."""
        summary = self._summary()
        return None if summary is None else summary.argmin

    @property
    def argmax(self) -> int | None:
        """The first step that has the highest value; None when nothing is tracked."""
        summary = self._summary()
        return None if summary is None else summary.argmax

    @property
    def mean(self) -> float:
        """The mean of all values, NaN left out; NaN when there is none."""
        summary = self._summary()
        return NAN if summary is None else summary.mean

    @property
    def std(self) -> float:
        """The standard deviation of all values, as `numpy.std` has it, NaN left out; NaN when there is none."""
        summary = self._summary()
        return NAN if summary is None else summary.std

    @property
    def median(self) -> float:
        """The median of all values, NaN left out; NaN when there is none."""
        summary = self._summary()
        return NAN if summary is None else summary.median

    @property
    def count(self) -> int:
        """How many steps were tracked."""
        return len(self)

    def _summary(self) -> Summary | None:
        from aim.storage.sealing.point_summary import summarize

        points = self._points()
        return summarize(points.steps, points.values.astype("float64")) if len(points) else None

    def _extreme(self, name: str) -> float:
        """Return the lowest or highest value as it was recorded, an integer with all its digits."""
        numbers = [value for value in self._points().values.tolist() if value == value]
        if not numbers:
            return NAN
        extreme: float = min(numbers) if name == "min" else max(numbers)
        return extreme

    def dataframe(
        self,
        include_name: bool = False,
        include_context: bool = False,
        include_run: bool = False,
        only_last: bool = False,
    ) -> pd.DataFrame:
        """
        Return the series as a pandas DataFrame: idx, step, value, epoch, time (local datetime without a zone).

        Args:
            include_name: add the column `metric.name`.
            include_context: add a column `metric.context.<key>` for each key of the context, nested ones by dots.
            include_run: add `run.hash` and a column `run.<param>` for each param, flattened to three levels.
            only_last: return only the row of the last step.
        """
        from aim.sdk.param_columns import need_pandas

        need_pandas()
        import pandas as pd

        from aim.sdk.point_frames import points_columns

        return pd.DataFrame(points_columns([self], include_name, include_context, include_run, only_last))
