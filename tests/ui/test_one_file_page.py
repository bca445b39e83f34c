"""
The page in one file, opened from the disk in a browser without a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright import sync_api
from playwright.sync_api import expect

from aim.convert import export
from tests.ui.conftest import SCREENSHOTS, VIEWPORT
from tests.ui.recording import BEST_RUN


@pytest.fixture(name="file", scope="module")
def _file(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The runs of the repository of all tests, as a page in one file.
    """
    path = tmp_path_factory.mktemp("page") / "runs.html"
    export(repository, path)
    return path


@pytest.fixture(name="page")
def _page(browser: sync_api.Browser) -> Iterator[sync_api.Page]:
    """
    A page without a network. An error in its console, and a request for anything but the file itself, fails the test.
    """
    context = browser.new_context(viewport=VIEWPORT, offline=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    requests: set[str] = set()
    page.on("request", lambda request: requests.add(request.url.partition("#")[0]))
    yield page
    context.close()
    assert [] == faults
    assert 1 == len({url for url in requests if not url.startswith(("blob:", "data:"))})


def test_the_curves_are_drawn(file: Path, page: sync_api.Page) -> None:
    """
    Opened by a double click, the file shows its runs and their charts.
    """
    page.goto(file.as_uri())

    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"All runs · written \d{4}-"))).to_be_visible()
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / "one-file-page.png"))


def test_its_pages_have_addresses_behind_the_hash(file: Path, page: sync_api.Page) -> None:
    """
    Links lead to the table and to a run and back, and a reload stays there.
    """
    page.goto(file.as_uri())
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page).to_have_url(re.compile(r"#runs"))
    page.get_by_role("link", name=BEST_RUN, exact=True).first.click()
    expect(page.get_by_role("heading", name=BEST_RUN)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=BEST_RUN)).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(r"#runs"))


def test_pictures_are_shown_without_a_request(file: Path, page: sync_api.Page) -> None:
    """
    The page of media shows the small pictures of the file.
    """
    page.goto(file.as_uri() + "#media")
    picture = page.locator("img").first

    expect(picture).to_be_visible()
    expect(picture).not_to_have_js_property("naturalWidth", 0)


def test_a_query_is_refused_in_words(file: Path, page: sync_api.Page) -> None:
    """
    An address with a query says that the file has no query language, and offers to clear it.
    """
    page.goto(file.as_uri() + "#metrics?q=run.x")

    expect(page.get_by_text("no query language")).to_be_visible()
    page.get_by_role("button", name="Clear the query").click()
    expect(page.locator("canvas").first).to_be_visible()
