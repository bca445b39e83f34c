"""
`Metric`: a series of numbers.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aim.sdk.param_columns import flat_params
from aim.sdk.sequence import Sequence

if TYPE_CHECKING:
    import pandas as pd


class _WithParams(Protocol):
    hash: str

    def __getitem__(self, key: Any) -> Any: ...


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

    @classmethod
    def sequence_name(cls) -> str:
        """Give `metric`."""
        return "metric"

    def dataframe(
        self,
        include_name: bool = False,
        include_context: bool = False,
        include_run: bool = False,
        only_last: bool = False,
    ) -> pd.DataFrame:
        """
        Give the series as a pandas DataFrame: idx, step, value, epoch, time (a datetime in local time, without a zone).

        Args:
            include_name: add the column `metric.name`.
            include_context: add a column `metric.context.<key>` for each key of the context, nested ones by dots.
            include_run: add `run.hash` and a column `run.<param>` for each param, flattened to three levels.
            only_last: give only the row of the last step.
        """
        import pandas as pd

        points = self.points()
        chosen = slice(-1, None) if only_last else slice(None)
        columns: dict[str, Any] = {
            "idx": np.arange(len(points), dtype=np.int64)[chosen],
            "step": points.steps[chosen],
            "value": points.values[chosen].astype(np.float64),
            "epoch": points.epochs[chosen],
            "time": _local_times(points.times_s[chosen]),
        }
        rows = len(columns["idx"])
        for column, value in self._extra(include_name, include_context, include_run).items():
            columns[column] = [value] * rows
        return pd.DataFrame(columns)

    def _extra(self, include_name: bool, include_context: bool, include_run: bool) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        if include_run:
            run: _WithParams = self.run  # type: ignore[assignment]
            extra["run.hash"] = run.hash
            extra |= {f"run.{column}": value for column, value in flat_params(run[...]).items()}
        if include_name:
            extra["metric.name"] = self.name
        if include_context:
            extra |= {
                f"metric.context.{column}": value for column, value in flat_params(self.context.to_dict()).items()
            }
        return extra


def _local_times(times_s: Any) -> Any:
    import pandas as pd

    utc = pd.to_datetime(np.rint(times_s * 1e6).astype(np.int64), unit="us", utc=True)

    zone = datetime.now().astimezone().tzinfo
    return utc.tz_convert(zone).tz_localize(None)
