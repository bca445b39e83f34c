"""
What hands do on a chart: zoom, measure, keep values; and what the chart shows of values that have no place on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright import sync_api

from tests.ui.conftest import Open
from tests.ui.recording import BEST_RUN, NAN_RUN

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect

ACCURACY = 'accuracy{"subset":"val"}'
# How many pixels of a canvas are not clear.
INK = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Uint32Array(data.buffer).filter((word) => word >>> 24 > 0).length;
}"""


@dataclass
class Chart:
    """A drawn chart: where its axes lie on the page, and what they mean."""

    page: sync_api.Page
    card: str

    @property
    def host(self) -> sync_api.Locator:
        """The element of the chart, once it was painted."""
        return self.page.locator(f"[data-card='{self.card}'] .chart[data-scales]")

    @property
    def scales(self) -> dict[str, Any]:
        """Both axes: lowest and highest value, first and last pixel."""
        found: dict[str, Any] = json.loads(self.host.get_attribute("data-scales") or "{}")
        return found

    def place(self, x_share: float, y_share: float) -> tuple[float, float]:
        """Return a place on the page by shares of the plot, from its left and its top."""
        box = self.host.bounding_box()
        assert box is not None
        (_, _, left, right), (_, _, bottom, top) = self.scales["x"], self.scales["y"]
        return box["x"] + left + x_share * (right - left), box["y"] + top + y_share * (bottom - top)

    def drag(self, start: tuple[float, float], end: tuple[float, float], key: str | None = None) -> None:
        """Drag from one place to another while a key is held."""
        self.page.mouse.move(*self.place(*start))
        if key is not None:
            self.page.keyboard.down(key)
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=4)
        if key != "Alt":
            self.page.mouse.up()
        if key is not None:
            self.page.keyboard.up(key)

    def wait_scales(self, condition: str) -> None:
        """Wait until the axes meet a condition of `x` and `y`."""
        self.page.wait_for_function(
            f"host => {{ const {{ x, y }} = JSON.parse(host.dataset.scales); return {condition}; }}",
            arg=self.host.element_handle(),
        )


@pytest.fixture(name="chart")
def _chart(open_page: Open, server: str) -> Chart:
    """
    The chart of accuracy over all runs.
    """
    chart = Chart(open_page(server + "metrics"), ACCURACY)
    chart.host.wait_for()
    chart.wait_scales("x[1] > 190")
    return chart


def test_a_box_is_zoomed_and_a_double_click_shows_all(chart: Chart) -> None:
    """
    With Shift the drag bounds both axes; a double click takes both back.
    """
    before = chart.scales
    chart.drag((0.2, 0.2), (0.6, 0.5), "Shift")
    chart.wait_scales("x[1] < 150 && y[0] > 0.2")
    low, high, *_ = chart.scales["x"]
    assert low == pytest.approx(before["x"][0] + 0.2 * (before["x"][1] - before["x"][0]), abs=2)
    assert high == pytest.approx(before["x"][0] + 0.6 * (before["x"][1] - before["x"][0]), abs=2)
    assert chart.scales["y"][1] < before["y"][1]
    expect(chart.page).to_have_url(re.compile("win="))

    chart.page.mouse.dblclick(*chart.place(0.5, 0.9))
    chart.wait_scales(f"x[1] === {before['x'][1]} && y[1] === {before['y'][1]}")
    expect(chart.page).not_to_have_url(re.compile("win="))


def test_the_wheel_zooms_at_the_pointer_with_ctrl_only(chart: Chart) -> None:
    """
    The value under the pointer stays there; without Ctrl the page scrolls and the chart stays.
    """
    before = chart.scales["x"]
    px, py = chart.place(0.25, 0.5)
    chart.page.mouse.move(px, py)
    chart.page.mouse.wheel(0, 60)
    chart.page.keyboard.down("Control")
    chart.page.mouse.move(*chart.place(0.25, 0.5))
    chart.page.mouse.wheel(0, -100)
    chart.page.keyboard.up("Control")
    chart.wait_scales(f"x[1] - x[0] < {0.9 * (before[1] - before[0])}")
    low, high = chart.scales["x"][:2]
    here = before[0] + 0.25 * (before[1] - before[0])
    assert low + 0.25 * (high - low) == pytest.approx(here, abs=1.5)


def test_alt_measures_between_two_points(chart: Chart, shot: Shot) -> None:
    """
    A line with the differences of x and y is drawn while the drag lasts, and nothing is zoomed by it.
    """
    before = chart.scales
    chart.drag((0.3, 0.3), (0.7, 0.6), "Alt")
    glass = chart.host.locator("canvas").last
    chart.page.wait_for_function(f"canvas => ({INK})(canvas) > 300", arg=glass.element_handle())
    shot(chart.page)
    chart.page.mouse.up()
    assert before == chart.scales
    expect(chart.page).not_to_have_url(re.compile("win="))


def test_a_click_keeps_the_values_and_opens_a_run_from_there(chart: Chart, shot: Shot) -> None:
    """
    The tip stays while the pointer goes on; Escape lets go of it; a name in it opens the run.
    """
    page = chart.page
    page.mouse.move(*chart.place(0.6, 0.4))
    page.mouse.click(*chart.place(0.6, 0.4))
    kept = page.get_by_role("dialog", name="Values here")
    words = kept.inner_text()
    page.mouse.move(*chart.place(0.9, 0.8))
    expect(kept).to_be_visible()
    assert words == kept.inner_text()
    shot(page)
    page.keyboard.press("Escape")
    expect(kept).to_have_count(0)

    page.mouse.click(*chart.place(0.6, 0.4))
    name = kept.locator("button.name").first
    run = name.inner_text()
    name.click()
    expect(page.locator(".run-head h1")).to_contain_text(run)


def test_a_full_screen_card_is_in_the_address_and_left_by_escape(chart: Chart, open_page: Open) -> None:
    """
    `f` shows the card under the pointer large, its address shows the same to others, and Escape leaves it.
    """
    chart.page.mouse.move(*chart.place(0.5, 0.5))
    chart.page.keyboard.press("f")
    expect(chart.page.get_by_role("dialog", name="accuracy · val")).to_be_visible()
    other = open_page(chart.page.url)
    expect(other.get_by_role("dialog", name="accuracy · val").locator(".grid .row").first).to_be_visible()
    other.keyboard.press("Escape")
    expect(other.get_by_role("dialog")).to_have_count(0)
    expect(other).not_to_have_url(re.compile("full="))

    other.keyboard.press("Control+k")
    other.keyboard.type("loss train")
    other.keyboard.press("Enter")
    expect(other.get_by_role("dialog", name="loss · train")).to_be_visible()


def test_the_hovered_run_is_lit_in_every_card_and_in_the_list(chart: Chart) -> None:
    """
    One hover lights the same run everywhere: a thick line in the other cards, a row in the list.
    """
    other = chart.page.locator("""[data-card='loss{"subset":"train"}'] .chart[data-scales]""")
    other.wait_for()
    chart.page.mouse.move(*chart.place(0.9, 0.0))
    row = chart.page.locator(".runlist .run.hot")
    expect(row).to_have_count(1)
    expect(chart.page.locator(".tip .hit.best .name")).to_have_text(row.locator(".name").inner_text())
    glass = other.locator("canvas").last
    chart.page.wait_for_function(f"canvas => ({INK})(canvas) > 1000", arg=glass.element_handle())


def test_values_that_are_no_numbers_are_marked(open_page: Open, server: str) -> None:
    """
    Where a run is NaN its colour marks the foot of the chart, and the tip says NaN.
    """
    page = open_page(f'{server}metrics?q=run.name == "{NAN_RUN}"')
    chart = Chart(page, "gradient")
    chart.host.wait_for()
    chart.wait_scales("x[1] > 190")
    foot = """(canvas, [from, to, top]) => {
        const box = [from, top - 10, to - from, 9].map((side) => (side * canvas.width) / canvas.clientWidth);
        const { data } = canvas.getContext("2d").getImageData(...box);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    _, _, left, right = chart.scales["x"]
    bottom = chart.scales["y"][2]
    base = chart.host.locator("canvas").first
    middle = (left + right) / 2
    assert base.evaluate(foot, [middle + 10, right, bottom]) > 3
    page.mouse.move(*chart.place(0.8, 0.5))
    expect(page.locator(".tip .value").first).to_have_text("NaN")


def test_differences_to_the_baseline_are_told(chart: Chart) -> None:
    """
    With a baseline every value in the tip and in the list has its difference to it.
    """
    page = chart.page
    row = page.locator(".runlist .run", has_text=BEST_RUN)
    row.hover()
    row.get_by_role("button", name=re.compile("aseline")).click()
    assert "base=" in page.url
    expect(page.locator(".runlist .run").nth(3).locator("em")).to_contain_text(re.compile("^[−-]0\\."))
    page.mouse.move(*chart.place(0.6, 0.6))
    expect(page.locator(".tip .delta").first).to_contain_text(re.compile("^[+−-]"))
