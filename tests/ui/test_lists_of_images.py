"""
Lists of images, of which a page shows some at first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright import sync_api

from aim import Image, Run
from tests.ui.conftest import Open, serving
from tests.ui.sweep import LIST_LENGTH, PICTURES_RUN

expect = sync_api.expect
FIRST_COUNT = 12


def test_every_image_of_a_list_is_to_be_had(open_page: Open, sweep_server: str) -> None:
    """
    Twelve images of a list of 40 are shown, the others are counted and come with a press; sequences are sections,
    and chosen by name. An image has its place before it has come.
    """
    page = open_page(f'{sweep_server}media?q=run.name == "{PICTURES_RUN}"')
    sections = page.locator(".media section")
    expect(sections).to_have_count(2)
    row = page.get_by_role("region", name="mistakes").locator(".media-row")
    expect(row.locator(".picture")).to_have_count(FIRST_COUNT)
    row.get_by_role("button", name=f"+{LIST_LENGTH - FIRST_COUNT}").click()
    expect(row.locator(".picture")).to_have_count(LIST_LENGTH, timeout=60_000)
    box = row.locator(".picture img").last.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 40 / 28) < 0.05

    page.get_by_title("Choose sequences by name").click()
    page.get_by_role("option", name="attention").click()
    expect(sections).to_have_count(1)
    expect(page.get_by_role("region", name="attention").locator(".picture")).to_have_count(1)
    assert "seq=attention" in page.url


def test_one_image_of_each_run_flows_over_the_width(open_page: Open, tmp_path: Path) -> None:
    """
    Where each run has one image, they stand beside each other under the names of their runs, and a full row ends where
    the grid ends. The slider takes all runs to the same step.
    """
    for number in range(12):
        with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
            run.name = f"run {number}"
            for step in range(3):
                run.track(Image(np.full((8, 8), 80 * step, np.uint8)), name="sample", step=step)
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(address + "media")
        flow = page.get_by_role("region", name="sample").locator(".pictures")
        expect(flow.locator(".pickable")).to_have_count(12)
        grid, first = flow.bounding_box(), flow.locator("img").first.bounding_box()
        tops = flow.locator("img").evaluate_all("images => images.map((image) => image.getBoundingClientRect().top)")
        rights = flow.locator("img").evaluate_all("all => all.map((image) => image.getBoundingClientRect().right)")
        assert grid is not None
        assert first is not None
        assert 1 < tops.count(first["y"]) < 12
        assert max(rights) == pytest.approx(grid["x"] + grid["width"], abs=12)
        expect(flow.locator(".line", has_text="run 0")).to_contain_text("step 2")
        page.get_by_label("Step", exact=True).press("Home")
        expect(flow.get_by_text("step 0", exact=True)).to_have_count(12)
