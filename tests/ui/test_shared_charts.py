"""
What the readers of a repository share on the page of charts: annotations at a step, and what all see first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run
from aim.convert import export
from tests.ui.conftest import Open, serving

expect = sync_api.expect
TEXT = "lr dropped here"


@pytest.fixture(name="own_server")
def _own_server(tmp_path: Path) -> Iterator[str]:
    """
    The address of a server of one run with one metric, which a test may change.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in range(50):
            run.track(1 / (1 + step), name="loss", step=step)
    with serving("--repo", str(tmp_path)) as address:
        yield address


def test_what_is_written_at_a_step_is_seen_by_all(open_page: Open, own_server: str) -> None:
    """
    A click on a chart keeps its values, and a line for a text at that step; another browser has it, and removes it.
    """
    page = open_page(own_server + "metrics")
    page.locator(".card .chart[data-scales]").first.wait_for()
    page.locator(".card canvas").nth(1).click()
    box = page.get_by_label("Annotate this step")
    box.fill(TEXT)
    with page.expect_response(lambda answer: "/documents/annotation/" in answer.url) as saved:
        box.press("Enter")
    assert saved.value.ok

    other = open_page(own_server + "metrics")
    other.locator(".card .chart[data-scales]").first.wait_for()
    other.locator(".card").first.hover()
    other.get_by_role("button", name="More for loss").click()
    with other.expect_download() as file:
        other.get_by_role("menuitem", name="SVG picture").click()
    assert TEXT in file.value.path().read_text(encoding="utf-8")
    other.get_by_role("button", name="More for loss").click()
    other.get_by_role("menuitem", name=f"Remove “{TEXT}”").click()
    expect(other.get_by_text("deleted")).to_be_visible()


def annotate(page: sync_api.Page, text: str) -> None:
    """Write *text* at the step in the middle of the first chart."""
    page.locator(".card .chart[data-scales]").first.wait_for()
    page.locator(".card canvas").nth(1).click()
    box = page.get_by_label("Annotate this step")
    box.fill(text)
    with page.expect_response(lambda answer: "/documents/annotation/" in answer.url) as saved:
        box.press("Enter")
    assert saved.value.ok


def test_an_annotation_is_seen_by_others_without_a_reload(open_page: Open, own_server: str) -> None:
    """
    A page that stands open learns of what another reader writes: the menu of its chart has it.
    """
    reader = open_page(own_server + "metrics")
    reader.locator(".card .chart[data-scales]").first.wait_for()
    expect(reader.locator(".live-on")).to_be_visible()
    writer = open_page(own_server + "metrics")
    with reader.expect_response(lambda answer: answer.url.endswith("/documents")):
        annotate(writer, TEXT)
    reader.locator(".card").first.hover()
    reader.get_by_role("button", name="More for loss").click()

    expect(reader.get_by_role("menuitem", name=f"Remove “{TEXT}”")).to_be_visible()


def test_a_page_in_one_file_has_the_annotations(open_page: Open, own_server: str, tmp_path: Path) -> None:
    """
    What is written at a step goes along when the runs are exported as one page.
    """
    annotate(open_page(own_server + "metrics"), TEXT)
    export(tmp_path, tmp_path / "runs.html")
    page = open_page((tmp_path / "runs.html").as_uri())
    page.locator(".card .chart[data-scales]").first.wait_for()
    page.locator(".card").first.hover()
    page.get_by_role("button", name="More for loss").click()
    with page.expect_download() as file:
        page.get_by_role("menuitem", name="SVG picture").click()

    assert TEXT in file.value.path().read_text(encoding="utf-8")


def test_single_charts_are_hidden_for_all(open_page: Open, own_server: str) -> None:
    """
    A chart is hidden by its menu; made what all see first, others do not see it either, until they show it again.
    """
    page = open_page(own_server + "metrics")
    page.locator(".card .chart[data-scales]").first.wait_for()
    page.locator(".card").first.hover()
    page.get_by_role("button", name="More for loss").click()
    page.get_by_role("menuitem", name="Hide this chart").click()
    expect(page.get_by_text("All charts are hidden.")).to_be_visible()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Make this what all see first").click()
    expect(page.get_by_text("All see this first now.")).to_be_visible()

    other = open_page(own_server + "metrics")
    expect(other.get_by_text("All charts are hidden.")).to_be_visible()
    other.get_by_role("button", name="1 hidden").click()
    other.get_by_role("menuitem", name="Show loss").click()
    expect(other.locator(".card")).to_have_count(1)


def test_what_all_see_first_is_set_once(open_page: Open, own_server: str) -> None:
    """
    The axis and the smoothing of a page are what another browser opens with, and a link says more than that.
    """
    page = open_page(own_server + "metrics?smooth=mean:5&x=relative")
    page.locator(".card .chart[data-scales]").first.wait_for()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Make this what all see first").click()
    expect(page.get_by_text("All see this first now.")).to_be_visible()

    other = open_page(own_server + "metrics")
    expect(other.locator(".smooth-pill")).to_contain_text("running mean 5")
    assert "x=relative" in other.url
    linked = open_page(own_server + "metrics?smooth=0.9")
    expect(linked.locator(".smooth-pill")).to_contain_text("0.9")
    assert "relative" not in linked.url
