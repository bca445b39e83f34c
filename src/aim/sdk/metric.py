"""
`Metric`: a series of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aim.core.kinds import METRIC
from aim.sdk.sequence import Sequence

if TYPE_CHECKING:
    import pandas as pd


class Metric(Sequence):
    """
    A tracked series of numbers.

    >>> import tempfile
    >>> from aim.sdk.run import Run
    >>> run = Run(repo=tempfile.mkdtemp())
    >>> for value in (3, 2.5):
    ...     run.track(value, name="loss")
    >>> run.get_metric("loss").values.sparse_list()
    ([0, 1], [3, 2.5])
    >>> run.close()
    """

    subject: ClassVar[str] = METRIC

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
