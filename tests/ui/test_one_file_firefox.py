"""
The page in one file, opened from the disk in Firefox without a network.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from aim.convert import export
from tests.ui.conftest import SCREENSHOTS
from tests.ui.marionette import firefox, firefox_path

CHART = "document.querySelector('canvas') !== null"
REQUESTS = "performance.getEntriesByType('resource').map(entry => entry.name)"
LINK = "[...document.querySelectorAll('a')].find(link => link.innerText.trim() === 'Runs')"
INK = """(() => {
    const pixels = [...document.querySelectorAll('canvas')].map(canvas => {
        const drawn = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        return drawn.some(value => value !== 0);
    });
    return pixels.some(each => each);
})()"""


def test_the_page_works_in_firefox(repository: Path, tmp_path: Path) -> None:
    """
    Opened by a double click, the file draws its charts, asks nobody for anything, and its links lead on.
    """
    path = firefox_path()
    if path is None:
        pytest.skip("Firefox is not installed")
    page = tmp_path / "runs.html"
    export(repository, page)
    with firefox(path, tmp_path / "profile") as browser:
        browser.tell("WebDriver:Navigate", {"url": page.as_uri()})
        browser.wait_for(CHART)
        browser.wait_for(INK)
        picture = browser.tell("WebDriver:TakeScreenshot", {"full": False})["value"]
        SCREENSHOTS.mkdir(exist_ok=True)
        (SCREENSHOTS / "one-file-page-firefox.png").write_bytes(base64.b64decode(picture))
        requests = browser.evaluate(REQUESTS)
        browser.evaluate(f"{LINK}.click()")
        browser.wait_for("location.hash.startsWith('#runs')")

    assert [] == [url for url in requests if not url.startswith(("blob:", "data:"))]
