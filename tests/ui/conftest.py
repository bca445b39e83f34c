"""
A real browser before a real server: found, started, watched, stopped.

Every page that a test opens is watched: an error in its console, or a request to another machine, fails the test.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright import sync_api

from tests.ui.recording import record_repository
from tests.ui.sweep import record_sweep

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src" / "aim" / "server" / "static"
SCREENSHOTS = ROOT / "tests" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_ARGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
VIEWPORT: sync_api.ViewportSize = {"width": 1440, "height": 900}
BROWSER_START_S_MAX = 180  # a machine with much else to do; nothing depends on how long it takes
STOP_S_MAX = 60
WAIT_MS_MAX = 90_000  # for what a page is expected to show or do; as little depends on it
sync_api.expect.set_options(timeout=WAIT_MS_MAX)
# The pages that stand open, by the address of their server: they are closed before it, or their last requests fail.
open_contexts: dict[str, list[sync_api.BrowserContext]] = {}

Open = Callable[[str], "sync_api.Page"]


def browser_path() -> str | None:
    """Return the browser of this machine, or None."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


@contextmanager
def serving(*arguments: str, closes_pages: bool = True) -> Iterator[str]:
    """
    Run `aim up` on a free port with *arguments*, and yield its address; it is stopped as by Ctrl-C.

    Args:
        closes_pages: whether its pages are closed before it stops, so that they do not miss it.
    """
    command = [sys.executable, "-m", "aim.cli", "up", "--port", "0", "--no-open", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert server.stdout is not None
    said = []
    address = ""
    try:
        for line in server.stdout:
            said.append(line)
            if line.startswith("Open http"):
                break
        else:
            raise AssertionError("the server did not start:\n" + "".join(said))
        address = said[-1].split()[1].split("?")[0]
        yield address
    finally:
        if closes_pages:
            close_pages(urlsplit(address).netloc)
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()


def close_pages(netloc: str) -> None:
    """Close the pages of one server."""
    for context in open_contexts.pop(netloc, []):
        context.close()


@pytest.fixture(name="browser", scope="session")
def _browser() -> Iterator[sync_api.Browser]:
    """
    The machine's Chromium, headless; without one the tests are skipped.
    """
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium on this machine")
    if not (STATIC / "index.html").exists():
        pytest.skip("the web pages are not built: scripts/build-ui")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=BROWSER_ARGS, timeout=BROWSER_START_S_MAX * 1000
        )
        yield browser
        browser.close()


@pytest.fixture(name="repository", scope="session")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The repository of all tests that change nothing.
    """
    folder = tmp_path_factory.mktemp("demo") / "demo"
    folder.mkdir()
    record_repository(folder)
    return folder


@pytest.fixture(name="server", scope="session")
def _server(repository: Path) -> Iterator[str]:
    """
    The address of a server of that repository.
    """
    with serving("--repo", str(repository)) as address:
        yield address


@pytest.fixture(name="sweep_server", scope="session")
def _sweep_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The address of a server of a sweep as people have it, for tests that change nothing.
    """
    folder = tmp_path_factory.mktemp("sweep") / "sweep"
    folder.mkdir()
    record_sweep(folder)
    with serving("--repo", str(folder)) as address:
        yield address


in_both_themes = pytest.mark.parametrize("theme", ["dark", "light"], indirect=True)
"""For what is to be looked at. What a page does is the same in both, and is tested in one."""


@pytest.fixture(name="theme")
def _theme(request: pytest.FixtureRequest) -> str:
    """
    The colours that the reader's system asks for; dark, where a test does not ask for both.
    """
    return str(getattr(request, "param", "dark"))


@pytest.fixture(name="tolerated")
def _tolerated() -> list[str]:
    """
    Patterns of lines in the console that are no fault. A query or a token that the server refuses is none anywhere; a
    test in which the server goes away adds what a browser says then.
    """
    return ["status of (400|401)"]


@pytest.fixture(name="neighbours")
def _neighbours() -> set[str]:
    """
    The hosts and ports of other servers of the test, which a page may lead to.
    """
    return set()


@pytest.fixture(name="open_page")
def _open_page(
    browser: sync_api.Browser, theme: str, tolerated: list[str], neighbours: set[str]
) -> Iterator[Open]:
    """
    Opens pages as a new reader; afterwards none of them may have had an error or asked another machine.
    """
    faults: list[str] = []
    homes = set()

    def hear(message: sync_api.ConsoleMessage) -> None:
        if message.type == "error" and not any(re.search(pattern, message.text) for pattern in tolerated):
            faults.append(message.text)

    def open_page(address: str) -> sync_api.Page:
        # without animations, as some people's systems ask for: what is seen then holds still, and is seen sooner
        scheme: Literal["dark", "light"] = "dark" if theme == "dark" else "light"
        context = browser.new_context(viewport=VIEWPORT, color_scheme=scheme, reduced_motion="reduce")
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(WAIT_MS_MAX)
        page = context.new_page()
        home = urlsplit(address).netloc
        homes.add(home)
        open_contexts.setdefault(home, []).append(context)
        page.on("console", hear)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda sent: (
                faults.append(f"asked {sent.url}")
                if urlsplit(sent.url).netloc not in {"", home, *neighbours}
                else None
            ),
        )
        page.goto(address)
        return page

    yield open_page
    for home in homes:
        close_pages(home)
    assert [] == faults


@pytest.fixture(name="shot")
def _shot(request: pytest.FixtureRequest, theme: str) -> Callable[[sync_api.Page], None]:
    """
    Takes a picture of the page, for people: tests/screenshots/<journey>-<theme>.png.
    """

    def shot(page: sync_api.Page) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        name = request.node.originalname.removeprefix("test_")
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png")

    return shot
