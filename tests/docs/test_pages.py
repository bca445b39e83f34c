"""
README.md and docs/ run: each block in order, in an empty folder of its own for each page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.page_run import PageRun
from tests.docs.pages import FRAMEWORKS, RUNNABLE, Block, blocks, commands, matches, pages, root_of
from tests.tidy.tree import ROOT

# `../../actions` of README.md is beside the repository on a host of Git, which shows there whether the tests pass
LINK = re.compile(r"\]\((?!\w+:|#|\.\./\.\./actions/)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(name="page_run")
def _page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageRun]:
    """
    A program in an empty folder.
    """
    monkeypatch.chdir(tmp_path)
    page_run = PageRun(tmp_path)
    yield page_run
    page_run.close()


HERE = [page for page in pages() if not page.startswith(FRAMEWORKS)]  # the others: tests/adapters/test_guide.py


@pytest.mark.parametrize("page", [page for page in HERE if any(b.language in RUNNABLE for b in blocks(page))])
def test_each_block_of_a_page_runs_and_prints_what_it_says(page: str, page_run: PageRun) -> None:
    """
    The blocks of a page, run in order, end well and print what the page shows.
    """
    page_run.run_page(page)


def test_no_page_hides_what_its_blocks_need() -> None:
    """
    A block in a comment is run and not shown, so who pastes the others misses it: only servers are started in one.
    """
    hiding = {page for page in HERE if re.search(r"<!--\s*```", (ROOT / page).read_text(encoding="utf-8"))}

    assert {"docs/guide/remote.md"} == hiding


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CHANGELOG.md", *pages()])
def test_each_link_of_a_page_leads_somewhere(page: str) -> None:
    """
    A link to a file of the repository leads to a file that is there.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    missing = [link["target"] for link in LINK.finditer(prose) if not (root_of(page) / link["target"]).exists()]

    assert [] == missing


def test_blocks_are_found_with_their_remarks() -> None:
    """
    A block knows its line, its language, and what the comment before it says.
    """
    text = "a\n```python\nx = 1\n```\n<!-- prints -->\n```\n1\n```\n<!-- not run: no GPU -->\n\n```sh\ntrain\n```\n"

    assert [
        Block("p.md", 3, "python", "x = 1\n"),
        Block("p.md", 7, "", "1\n", is_output=True),
        Block("p.md", 12, "sh", "train\n", skip="not run: no GPU"),
    ] == blocks("p.md", text)


def test_a_console_block_is_commands_and_what_they_print() -> None:
    """
    In a console block each `$ ` begins a command, and the lines up to the next one are its output.
    """
    block = Block("p.md", 1, "console", "$ echo a \\\n> b\na b\n$ true\n$ echo c\nc\n")

    assert [("echo a \\\nb", "a b\n"), ("true", ""), ("echo c", "c\n")] == [(c.text, c.output) for c in commands(block)]


def test_what_a_page_shows_is_compared_as_a_whole() -> None:
    """
    Dots stand for anything; all else has to be there, and nothing more.
    """
    assert matches("3 runs ... in\n", "3 runs (0.1 s) in \n")
    assert not matches("3 runs", "3 runs, 1 failed")
    assert not matches("", "an error")


def test_the_first_screen_is_short() -> None:
    """README.md has fewer than 700 words, all that stands in the file counted."""
    count = len((ROOT / "README.md").read_text(encoding="utf-8").split())

    assert count < 700, f"README.md has {count} words; move some to the pages that it leads to"
