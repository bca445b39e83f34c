"""
The still picture of a cell: curves of the matching metrics as one SVG, which a saved notebook keeps.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aim.core.errors import InvalidQuery
from aim.sdk.html.charts import curves
from aim.sdk.html.parts import short
from aim.sdk.types import QueryReportMode

if TYPE_CHECKING:
    from aim.sdk.repo import Repo

FloatArray = npt.NDArray[np.float64]

PANELS, COLUMNS, CURVES = 6, 2, 20
WIDTH_PX, HEIGHT_PX, TITLE_PX = 440, 180, 22


def still_picture(repo: Repo, query: str) -> str:
    """
    Return the curves of the first six matching metrics, twenty of each, as SVG.

    Args:
        query: of metrics, or of runs: then all metrics of the matching runs.
    """
    series: dict[str, list[tuple[str, FloatArray, FloatArray]]] = {}
    try:
        for metric in repo.query_metrics(query, report_mode=QueryReportMode.DISABLED).iter():
            title = " ".join([metric.name, *(f"{key}={value}" for key, value in metric.context.to_dict().items())])
            if title.startswith("__system__") or (title not in series and len(series) == PANELS):
                continue
            lines = series.setdefault(title, [])
            if len(lines) < CURVES:
                steps, (values, *_) = metric.data.numpy()
                lines.append((metric.run.name or "", steps.astype(np.float64), values.astype(np.float64)))
    except InvalidQuery:
        return _drawing([])
    return _drawing(list(series.items()))


def _drawing(panels: list[tuple[str, list[tuple[str, FloatArray, FloatArray]]]]) -> str:
    rows = -(-len(panels) // COLUMNS) or 1
    width, height = COLUMNS * WIDTH_PX, rows * (HEIGHT_PX + TITLE_PX)
    parts = [_panel(index, title, lines) for index, (title, lines) in enumerate(panels)]
    if not panels:
        parts = ['<text x="12" y="20" fill="#888">There is no metric that matches.</text>']
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11" color="#777">{"".join(parts)}</svg>'
    )


def _panel(index: int, title: str, lines: list[tuple[str, FloatArray, FloatArray]]) -> str:
    x, y = index % COLUMNS * WIDTH_PX, index // COLUMNS * (HEIGHT_PX + TITLE_PX)
    picture = str(curves(lines, WIDTH_PX, HEIGHT_PX)).partition("</svg>")[0]
    heading = html.escape(short(title, 60))
    return (
        f'<g transform="translate({x} {y})"><text x="12" y="15" fill="currentColor" font-weight="600">{heading}</text>'
        f'<g transform="translate(0 {TITLE_PX})">{picture}</svg></g></g>'
    )
