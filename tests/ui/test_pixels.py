"""
What is drawn is what was recorded: for a million points with planted spikes and NaNs, at three zooms, every column of
pixels reaches exactly as low and as high as the values of its steps do.

The oracle draws nothing: it takes the points of a column from the recorded array. A stroke is a little more than a
pixel wide and its ends are blurred, so a column may also show what belongs to its neighbours, and a pixel of blur.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from playwright import sync_api

from aim import Run
from tests.ui.conftest import Open, serving

POINT_COUNT = 1_000_000
SPIKE_COUNT = 60
SPIKE = 40.0
NAN_FROM, NAN_TO = 620_000, 640_000
BLUR_PX = 1.6
MARK_PX = 10  # the height of the strip at the foot in which NaN is marked

Floats = npt.NDArray[np.float64]

# For each column of the plot: the topmost and the lowest pixel that has the line's colour; -1 where there is none.
COLUMNS = """([canvas, left, right, upper, lower]) => {
    const { width } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, canvas.height);
    const columns = [];
    for (let x = left; x < right; x++) {
        let [top, low] = [-1, -1];
        for (let y = upper; y < lower; y++) {
            const i = (y * width + x) * 4;
            const colourful = Math.abs(data[i] - data[i + 1]) + Math.abs(data[i + 1] - data[i + 2]);
            if (colourful < 40) continue;
            if (top < 0) top = y;
            low = y;
        }
        columns.push([top, low]);
    }
    return columns;
}"""


def planted_values() -> Floats:
    """Return noise with spikes of one point each, up and down, and a stretch of NaN."""
    random = np.random.default_rng(11)
    values = random.normal(size=POINT_COUNT)
    places = random.choice(NAN_FROM, SPIKE_COUNT, replace=False)
    values[places] = SPIKE * random.choice([-1.0, 1.0], SPIKE_COUNT)
    values[405_000] = SPIKE
    values[NAN_FROM:NAN_TO] = np.nan
    return values


@pytest.fixture(name="million", scope="module")
def _million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Floats, str]]:
    """
    A run of a million points, and the address of a server that has it.
    """
    repo = tmp_path_factory.mktemp("million") / "million"
    repo.mkdir()
    values = planted_values()
    # by its hash a run has its colour
    with Run("pixels", repo=str(repo), create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step, value in enumerate(values.tolist()):
            run.track(value, name="noise", step=step)
    with serving("--repo", str(repo)) as address:
        yield values, address


def true_extents(values: Floats, scales: dict[str, list[float]], columns: int) -> tuple[Floats, Floats]:
    """
    Return the highest and the lowest value of each pixel column, shape (columns,); NaN where a column has no number.

    A column has the points of its steps, and the lines' values at its two edges.
    """
    low, high, *_ = scales["x"]
    edges = np.linspace(low, high, columns + 1)
    steps = np.arange(len(values))
    at_edges = np.interp(edges, steps, values)
    first = np.searchsorted(steps, edges)
    highest, lowest = np.full(columns, np.nan), np.full(columns, np.nan)
    for column in range(columns):
        inside = np.append(values[first[column] : first[column + 1]], at_edges[column : column + 2])
        inside = inside[np.isfinite(inside)]
        if inside.size:
            highest[column], lowest[column] = inside.max(), inside.min()
    return highest, lowest


@pytest.mark.parametrize("window", [None, (400_000, 410_000), (404_900, 405_100)])
def test_every_pixel_column_shows_its_true_extremes(
    million: tuple[Floats, str], open_page: Open, window: tuple[int, int] | None
) -> None:
    """
    No column ends short of its highest or lowest value, and none goes beyond what it and its neighbours have.
    """
    values, address = million
    zoom = f"&win={window[0]},{window[1]}" if window else ""
    page = open_page(f"{address}metrics?outliers=show{zoom}")
    chart = page.locator("[data-card='noise'] .chart[data-scales]")
    chart.wait_for()
    page.wait_for_load_state("networkidle")
    scales = settled_scales(page, chart)
    x_from, x_to = (round(px) for px in scales["x"][2:])
    canvas = chart.locator("canvas").first.element_handle()
    drawn = np.array(page.evaluate(COLUMNS, [canvas, x_from, x_to, 0, int(scales["y"][2]) + 1]), dtype=np.float64)
    drawn[drawn < 0] = np.nan

    y_low, y_high, y_from, y_to = scales["y"]
    highest, lowest = (
        y_from + (extent - y_low) / (y_high - y_low) * (y_to - y_from)
        for extent in true_extents(values, scales, x_to - x_from)
    )
    middles = np.linspace(scales["x"][0], scales["x"][1], x_to - x_from)
    mark_steps = MARK_PX * (middles[1] - middles[0])
    has_marks = (middles > NAN_FROM - mark_steps) & (middles < NAN_TO + mark_steps)
    is_drawn = np.isfinite(highest) & ~has_marks
    near = np.array([highest, np.roll(highest, 1), np.roll(highest, -1)])
    far = np.array([lowest, np.roll(lowest, 1), np.roll(lowest, -1)])
    inner = slice(2, -2)  # the frame cuts the first and last stroke
    short_by = np.fmax(drawn[:, 0] - highest, lowest - drawn[:, 1] - 1)[is_drawn][inner]
    beyond_by = np.fmax(np.fmin.reduce(near) - drawn[:, 0], drawn[:, 1] - np.fmax.reduce(far))[is_drawn][inner]

    assert BLUR_PX > np.nanmax(short_by)
    assert BLUR_PX > np.nanmax(beyond_by)
    assert not np.isnan(drawn[is_drawn][inner]).any()


def settled_scales(page: sync_api.Page, chart: sync_api.Locator) -> dict[str, list[float]]:
    """Return what the chart's pixels mean, once it does not change any more."""
    last = ""
    page.wait_for_load_state("networkidle")
    for _ in range(240):
        now = chart.get_attribute("data-scales") or ""
        if now and now == last:
            scales: dict[str, list[float]] = json.loads(now)
            return scales
        last = now
        page.wait_for_timeout(250)
    raise AssertionError("the chart does not come to rest")


def test_a_stretch_of_nan_is_a_gap_with_marks(million: tuple[Floats, str], open_page: Open) -> None:
    """
    Where the run had no numbers nothing is drawn, and crosses at the foot say that NaN was recorded.
    """
    _, address = million
    page = open_page(f"{address}metrics?outliers=show&win=600000,660000")
    chart = page.locator("[data-card='noise'] .chart[data-scales]")
    chart.wait_for()
    page.wait_for_load_state("networkidle")
    scales = settled_scales(page, chart)
    x_from, x_to = (round(px) for px in scales["x"][2:])
    canvas = chart.locator("canvas").first.element_handle()
    foot = int(scales["y"][2]) - MARK_PX
    drawn = np.array(page.evaluate(COLUMNS, [canvas, x_from, x_to, 0, foot]))
    share = (np.arange(x_to - x_from) + 0.5) / (x_to - x_from) * 60_000 + 600_000
    is_gap = (share > NAN_FROM + 400) & (share < NAN_TO - 400)

    assert (drawn[is_gap] < 0).all()
    assert (drawn[~is_gap & ((share < NAN_FROM - 400) | (share > NAN_TO + 400))] >= 0).all()
    marks = np.array(page.evaluate(COLUMNS, [canvas, x_from, x_to, foot, foot + MARK_PX]))
    assert (marks[is_gap] >= 0).any()
