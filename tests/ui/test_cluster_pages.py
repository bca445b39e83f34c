"""
The pages of a cluster of which a part is away: they say so, and go on when it is back.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from aim import Image
from aim.sdk.run import BasicRun
from tests.cluster.conftest import _address, _cluster, _project, _server  # noqa: F401  # fixtures
from tests.cluster.running import RunningCluster
from tests.ui.conftest import WAIT_MS_MAX


@pytest.fixture(name="page")
def _page(browser: Browser, address: str) -> Iterator[Page]:
    """
    A page that may show errors; the project has a run with a picture.
    """
    with BasicRun(repo=address) as run:
        run.name = "baseline"
        run.track(Image(np.random.default_rng(7).integers(0, 256, (600, 600), np.uint8)), name="picture", step=1)
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS_MAX)
    yield page
    page.close()


def test_a_picture_says_that_the_object_store_is_away(cluster: RunningCluster, address: str, page: Page) -> None:
    """
    In its place is what the server says; it comes when the store is back, without anybody's doing.
    """
    origin, _, project = address.rpartition("/")
    page.goto(f"{origin}/media?repo={project}")
    picture = page.locator(".picture img")
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    cluster.s3.kill()
    try:
        page.get_by_role("slider", name="size").fill("60")  # a smaller one, which the server has not made yet
        expect(page.locator(".picture-failure")).to_contain_text("The object store does not answer")
    finally:
        cluster.s3.start()
        cluster.wait_for_objects()
    expect(page.locator(".picture-failure")).to_have_count(0)
    expect(picture).not_to_have_js_property("naturalWidth", 0)


def test_a_banner_says_that_clickhouse_is_away(cluster: RunningCluster, address: str, page: Page) -> None:
    """
    The runs that were read stay on the page, under a banner with the reason, which goes when it is back.
    """
    origin, _, project = address.rpartition("/")
    page.goto(f"{origin}/runs?repo={project}")
    run = page.get_by_text("baseline").first
    expect(run).to_be_visible()
    cluster.clickhouse.kill()
    try:
        expect(page.locator(".offline")).to_contain_text("No ClickHouse server answers")
        expect(run).to_be_visible()
    finally:
        cluster.clickhouse.start()
    expect(page.locator(".offline")).to_have_count(0)
