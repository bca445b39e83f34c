"""
The pages in a window as narrow as a telephone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright import sync_api

from aim import Repo, Run
from tests.ui.conftest import Open, serving
from tests.ui.recording import BEST_RUN, OBJECTS_RUN

WIDTH_PX, HEIGHT_PX = 390, 800


PAGES = [
    "metrics", "metrics?color=hparams.model&agg=group&smooth=0.5", "runs", "params", "media", "media?type=tables", "text",
    "run/{run}", "run/{run}?tab=environment", "compare?runs={run},{other}", "reports", "alerts", "settings", "docs",
]  # fmt: skip
# What ends beyond the window, and is in no box that scrolls sideways by itself (tables, long lines of code).
CUT = """width => [...document.querySelectorAll(".top *, main *")]
    .filter((element) => element.getClientRects().length > 0 && element.getBoundingClientRect().right > width + 1)
    .filter((element) => {
        for (let box = element.parentElement; box; box = box.parentElement)
            if (!box.matches("main") && /auto|scroll|hidden/.test(getComputedStyle(box).overflowX)) return false;
        return true;
    })
    .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`)"""


@pytest.fixture(name="addresses", scope="module")
def _addresses(repository: Path) -> dict[str, str]:
    """
    The hashes of two runs, one of which has everything.
    """
    runs = {run.name: run.hash for run in Repo(str(repository)).runs()}
    return {"run": runs[OBJECTS_RUN], "other": runs[BEST_RUN]}


@pytest.mark.parametrize("path", PAGES)
def test_a_narrow_window_needs_no_sideways_scrolling(
    open_page: Open, server: str, path: str, addresses: dict[str, str]
) -> None:
    """
    The page is as wide as the window, and nothing on it is cut at its edge.
    """
    page = open_page(server + path.format(**addresses))
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    page.locator("main").first.wait_for()
    page.wait_for_load_state("networkidle")

    assert WIDTH_PX == page.evaluate("document.documentElement.scrollWidth")
    assert [] == page.evaluate(CUT, WIDTH_PX)


def test_the_pills_of_charts_open_under_a_thumb(open_page: Open, server: str) -> None:
    """
    On a telephone the ways of grouping are behind one button, and colouring works from there.
    """
    page = open_page(server + "metrics")
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    bar = page.get_by_role("toolbar", name="How curves are drawn")
    bar.get_by_role("button", name="Group").click()
    bar.get_by_role("button", name="+ colour").click()
    page.get_by_role("option", name="model").first.click()

    sync_api.expect(bar.get_by_role("button", name="colour model")).to_be_visible()
    assert "color=hparams.model" in page.url
    assert [] == page.evaluate(CUT, WIDTH_PX)


def test_every_tab_of_a_run_is_in_reach(open_page: Open, server: str, addresses: dict[str, str]) -> None:
    """
    All tabs of a run with everything are on a telephone's screen, and each row of its summary is readable there.
    """
    page = open_page(server + "run/" + addresses["run"])
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    summary = page.get_by_role("region", name="Values of the metrics")
    sync_api.expect(summary).to_be_visible()
    for tab in page.get_by_role("tab").all():
        box = tab.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= WIDTH_PX, tab.inner_text()

    assert summary.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_charts_are_live_on_a_telephone(open_page: Open, tmp_path: Path) -> None:
    """
    While a run records, the chart on a narrow screen grows by itself, and its values are read under a finger.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(1.0, name="loss", step=0)
        run.track(0.9, name="loss", step=1)
        with serving("--repo", str(tmp_path)) as address:
            page = open_page(address)
            page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
            chart = page.locator(".card .chart[data-scales]").first
            chart.wait_for()
            for step in range(2, 60):
                run.track(1 / step, name="loss", step=step)
            page.wait_for_function(
                "chart => JSON.parse(chart.dataset.scales).x[1] >= 59", arg=chart.element_handle()
            )
            chart.scroll_into_view_if_needed()
            chart.locator("canvas").last.click()
            sync_api.expect(page.locator(".tip .hit").first).to_be_visible()
            assert [] == page.evaluate(CUT, WIDTH_PX)
            page.close()


def test_alerts_and_a_search_work_on_a_telephone(open_page: Open, server: str) -> None:
    """
    The list of alerts opens inside the window, and what is typed in the query box finds runs.
    """
    page = open_page(server + "runs")
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    page.locator(".grid .row").first.wait_for()
    page.keyboard.press("n")
    alerts = page.get_by_role("menu", name="Alerts")
    sync_api.expect(alerts).to_be_visible()
    box = alerts.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= WIDTH_PX
    page.keyboard.press("Escape")
    page.locator(".query").click()
    page.keyboard.type("vit-s-0.001")

    sync_api.expect(page.locator(".grid .row")).to_have_count(2)


def test_the_runs_stand_above_the_cards_in_a_narrow_window(open_page: Open, server: str) -> None:
    """
    On the metrics page the list of runs and the cards are each as wide as the window.
    """
    page = open_page(server + "metrics")
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    card = page.locator(".card").first
    sync_api.expect(card).to_be_visible()
    runs_box, card_box = page.locator(".runlist").bounding_box(), card.bounding_box()

    assert runs_box is not None
    assert card_box is not None
    assert WIDTH_PX == runs_box["width"]
    assert runs_box["y"] + runs_box["height"] <= card_box["y"]
    assert card_box["width"] > 0.8 * WIDTH_PX


def test_everything_is_in_reach_of_a_thumb(open_page: Open, server: str) -> None:
    """
    The query box is as wide as the window, every page is in the navigation, and all buttons of the bar of selected runs
    are on the screen.
    """
    page = open_page(server + "runs")
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    page.locator(".grid .row").first.get_by_role("checkbox").click()
    bar = page.get_by_role("toolbar", name="The selected runs")
    query = page.locator(".query").bounding_box()
    assert query is not None
    assert query["width"] > 0.9 * WIDTH_PX
    for item in [*page.get_by_role("navigation").get_by_role("link").all(), *bar.get_by_role("button").all()]:
        box = item.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= WIDTH_PX, item.inner_text()
        assert box["y"] + box["height"] <= HEIGHT_PX, item.inner_text()
