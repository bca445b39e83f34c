"""
What a cell of a notebook can show: the pages, with settings in place of presses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aim.core.errors import UsageError
from aim.engine.listing import RUN_FIELDS
from aim.notebook.cell import HEIGHT_PX, Cell
from aim.notebook.picture import still_picture
from aim.sdk.repo import Repo

PAGES = ("metrics", "runs", "params", "media", "text")
CHART_KINDS = ("line", "scatter", "bar", "box", "violin", "heat")
FIELD_SETTINGS = ("color", "dash", "facet", "group", "x", "y")
SETTINGS = {
    "color": "color", "dash": "dash", "facet": "facet", "group": "group", "smooth": "smooth", "x": "x", "y_scale": "y",
    "aggregate": "agg", "value": "value", "band": "band", "pinned": "pin", "columns": "cols", "sort": "sort",
}  # fmt: skip
"""What a keyword is called in the address of a page."""


def metrics(repo: Repo, query: str = "", *, height_px: int = HEIGHT_PX, **settings: Any) -> Cell:
    """
    Show the curves of the matching metrics, live.

    Args:
        query: as in `Repo.query_metrics`; empty: all.
        height_px: the height of the cell.
        settings: `color`, `dash` and `facet`: the field of runs that gives each, such as `run.hparams.lr`; `smooth`,
            0 to 1; `x`: `step`, `epoch`, `time` or `relative`; `y_scale`: `linear`, `log` or `symlog`; `aggregate`:
            `group` or `seed`, with `value` (`mean`, `median`, `min`, `max`) and `band` (`std`, `ci95`, `minmax` ...).

    Raises:
        UsageError: there is no such setting, or the repository is on a server.
        WidgetMissing: `pip install "aim[notebook]"`.
    """
    return page(repo, "metrics", query, height_px=height_px, **settings)


def runs(repo: Repo, query: str = "", *, height_px: int = HEIGHT_PX, **settings: Any) -> Cell:
    """Show the table of the matching runs, live: `columns` and `sort` as on the page, `group` by a field."""
    return page(repo, "runs", query, height_px=height_px, **settings)


def params(repo: Repo, query: str = "", *, height_px: int = HEIGHT_PX, **settings: Any) -> Cell:
    """Show the params of the matching runs: parallel coordinates, a scatter, and which params matter."""
    return page(repo, "params", query, height_px=height_px, **settings)


def chart(
    repo: Repo,
    kind: str,
    query: str = "",
    *,
    metrics: str = "",
    formula: str = "",
    x: str = "",
    y: str = "",
    value: str = "",
    title: str = "",
    color: str = "",
    height_px: int = HEIGHT_PX,
) -> Cell:
    """
    Show one chart of your own above the others.

    Args:
        kind: `line`, `scatter`, `bar`, `box`, `violin` or `heat`.
        metrics, formula: of a line chart: names or patterns of metrics, or an expression over them.
        x, y: fields of runs: params such as `hparams.lr`, or a metric with its summary, `metric:acc:max`.
        value: what a cell of a heat map averages.

    Raises:
        UsageError: there is no such kind.
    """
    if kind not in CHART_KINDS:
        raise UsageError(f"There is no chart {kind!r}; there are: {', '.join(CHART_KINDS)}.")
    texts = {"title": title, "metrics": metrics, "formula": formula, "x": field_text(x), "y": field_text(y)}
    made = {"id": "1", "kind": kind, **texts, "value": field_text(value)}
    charts = json.dumps([{name: text for name, text in made.items() if text}])
    return _cell(repo, "metrics", query, {"charts": charts, "color": field_text(color)}, height_px)


def page(repo: Repo, name: str, query: str = "", *, height_px: int = HEIGHT_PX, **settings: Any) -> Cell:
    """
    Show a page: `metrics`, `runs`, `params`, `media` or `text`.

    Raises:
        UsageError: there is no such page or setting.
    """
    if name not in PAGES:
        raise UsageError(f"There is no page {name!r}; there are: {', '.join(PAGES)}.")
    for setting in settings:
        if setting not in SETTINGS:
            raise UsageError(f"There is no setting {setting!r}; there are: {', '.join(SETTINGS)}.")
    texts = {
        SETTINGS[setting]: field_text(str(value)) if setting in FIELD_SETTINGS else str(value)
        for setting, value in settings.items()
        if value is not None
    }
    return _cell(repo, name, query, texts, height_px)


def _cell(repo: Repo, name: str, query: str, settings: dict[str, str], height_px: int) -> Cell:
    if repo.is_remote_repo:
        raise UsageError(
            f"{repo.path} is a server: its pages are at that address. A cell shows repositories on a disk."
        )
    root = Path(repo.door.address)
    return Cell(root, page_address(name, {"q": query, **settings}), still_picture(repo, query), height_px)


def page_address(name: str, settings: dict[str, str]) -> str:
    """
    Return the address of a page.

    >>> page_address("metrics", {"q": "metric.name == 'loss'", "color": "hparams.lr", "dash": ""})
    "metrics?q=metric.name%20%3D%3D%20'loss'&color=hparams.lr"
    """
    parts = [f"{key}={quote(text, safe=_PLAIN)}" for key, text in settings.items() if text]
    return f"{name}?{'&'.join(parts)}" if parts else name


_PLAIN = "'()*~;,/?:@$!"


def field_text(field: str) -> str:
    """
    Return a field of runs as pages write it: `run.` stands before the properties of a run only.

    >>> field_text("run.hparams.lr"), field_text("run.experiment"), field_text("hparams.lr")
    ('hparams.lr', 'run.experiment', 'hparams.lr')
    """
    name = field.removeprefix("run.")
    return field if name in RUN_FIELDS else name
