"""
The pages of docs/guide/integrations run, in order, with the frameworks that they are about.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.sdk.objects import once
from tests.docs.page_run import PageRun
from tests.docs.pages import FRAMEWORKS, pages


@pytest.fixture(name="page_run")
def _page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageRun]:
    """
    A program in an empty folder; a failure of recording is an error.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    once.forget()
    page_run = PageRun(tmp_path)
    yield page_run
    page_run.close()


@pytest.mark.parametrize("page", [page for page in pages() if page.startswith(FRAMEWORKS)])
def test_each_block_of_a_page_runs_and_prints_what_it_says(page: str, page_run: PageRun) -> None:
    """
    The blocks of a page, run in order, end well and print what the page shows.
    """
    page_run.run_page(page)
