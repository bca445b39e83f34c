"""
Large objects: the server holds and reads what is asked, however much is stored.
"""

from __future__ import annotations

import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest

from aim import Text
from tests.server.conftest import Browser, MakeBrowser, MakeRun

MEGABYTE = 1 << 20
TEXT = "0123456789abcde\n" * (2 * MEGABYTE)  # 32 MB
DOWNLOADS = 8


@pytest.fixture(name="large")
def _large(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    A browser of a run with a text of 32 MB and a short one.
    """
    run = make_run("large")
    run.track(Text(TEXT), name="report", step=0)
    run.track(Text("short"), name="report", step=1)
    run.close()
    return make_browser()


def texts(browser: Browser) -> list[dict[str, Any]]:
    """List the texts of the run."""
    asked = {"query": "", "type": "texts", "steps": {"count": 8}}
    items: list[dict[str, Any]] = browser.post("objects", asked)["items"]
    return items


def read_bytes() -> int:
    """Return how many bytes this process has read, the server among it."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts what a process reads")
def test_a_list_and_a_range_read_what_they_show(large: Browser) -> None:
    """
    A list of texts reads the beginning of a long one, and a range of 100 bytes about these.
    """
    texts(large)  # what is read once
    before = read_bytes()
    long, short = texts(large)
    listed = read_bytes() - before
    headers = {"Range": "bytes=16000000-16000099"}
    before = read_bytes()
    answer = large.client.get(f"{large.base}blobs/{long['blob']}", headers=headers)
    ranged = read_bytes() - before

    assert (TEXT[:20_000], True, "short") == (long["text"], long["cut"], short["text"])
    assert (206, f"bytes 16000000-16000099/{len(TEXT)}") == (answer.status_code, answer.headers["content-range"])
    assert TEXT[16_000_000:16_000_100] == answer.text
    assert listed < MEGABYTE > ranged


def test_downloads_at_once_take_little_memory(large: Browser) -> None:
    """
    Eight downloads of 32 MB at once, by eight threads, take less memory than half of one.
    """
    long, _ = texts(large)
    address = f"{large.client.base_url}{large.base}blobs/{long['blob']}".replace("//api", "/api")
    sizes: list[int] = []

    def download() -> None:
        with httpx.stream("GET", address, timeout=60) as answer:
            sizes.append(sum(len(chunk) for chunk in answer.iter_raw()))

    threads = [threading.Thread(target=download) for _ in range(DOWNLOADS)]
    tracemalloc.start()
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert [len(TEXT)] * DOWNLOADS == sizes
    assert peak_bytes < len(TEXT) / 2


def test_a_damaged_large_object_is_no_whole_download(large: Browser, root: Path) -> None:
    """
    Its last piece is not sent, so the download fails; its beginning can still be asked for.
    """
    long, _ = texts(large)
    (path,) = root.glob(".aim/runs/large/*.blobs-0000.zip")
    with open(path, "r+b") as file:
        file.seek(20 * MEGABYTE)
        file.write(b"\xff")

    with pytest.raises(httpx.RemoteProtocolError):
        large.bytes(f"blobs/{long['blob']}")
    answer = large.client.get(f"{large.base}blobs/{long['blob']}", headers={"Range": "bytes=0-15"})
    assert TEXT[:16] == answer.text
