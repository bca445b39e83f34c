"""
README.md and docs/ run: each block in order, in an empty folder of its own for each page.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import RUNNABLE, Block, blocks, commands, matches, pages, root_of
from tests.tidy.tree import ROOT

COMMAND_TIMEOUT_S = 120
LINK = re.compile(r"\]\((?!\w+:|#)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")


class PageRun:
    """The page as a program: one namespace for its Python, one folder for its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.printed = ""

    def run(self, block: Block) -> None:
        """Run one block, or compare it with what the last one printed."""
        if block.is_output:
            assert matches(block.body, self.printed), f"{block.place} shows what is not printed:\n{self.printed}"
        elif block.language in ("python", "py"):
            self.run_python(block)
        elif block.language == "console":
            for command in commands(block):
                self.run_shell(block, command.text)
                assert matches(command.output, self.printed), f"{block.place} `{command.text}` prints:\n{self.printed}"
        else:
            self.run_shell(block, block.body)

    def run_python(self, block: Block) -> None:
        """Run Python, its warnings shown; lines in a traceback are those of the page."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            if block.body.lstrip().startswith(">>>"):
                flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
                examples = doctest.DocTestParser().get_doctest(
                    block.body, self.names, block.page, block.page, block.line
                )
                runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
                runner.run(examples, out=output.write, clear_globs=False)
                assert 0 == runner.failures, f"{block.place}\n{output.getvalue()}"
                self.names.update(examples.globs)
            else:
                code = compile("\n" * (block.line - 1) + block.body, str(ROOT / block.page), "exec")
                exec(code, self.names)
        self.printed = output.getvalue()

    def run_shell(self, block: Block, text: str) -> None:
        """Run shell commands with this Python's programs first, and keep what they print."""
        programs = Path(sys.executable).parent
        environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "COLUMNS": "100",
            "TERM": "dumb",
            "NO_COLOR": "1",
        }
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        self.printed = ran.stdout
        assert block.exit_code == ran.returncode, f"{block.place} `{text}` ends with {ran.returncode}:\n{ran.stdout}"

    def close(self) -> None:
        """End what the page opened and left open."""
        for value in self.names.values():
            if type(value).__module__.startswith("aim.") and hasattr(value, "close"):
                value.close()
        self.names.clear()


@pytest.fixture(name="page_run")
def _page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageRun]:
    """
    A program in an empty folder.
    """
    monkeypatch.chdir(tmp_path)
    page_run = PageRun(tmp_path)
    yield page_run
    page_run.close()


@pytest.mark.parametrize("page", [page for page in pages() if any(b.language in RUNNABLE for b in blocks(page))])
def test_each_block_of_a_page_runs_and_prints_what_it_says(page: str, page_run: PageRun) -> None:
    """
    The blocks of a page, run in order, end well and print what the page shows.
    """
    for block in blocks(page):
        if block.is_output or (block.language in RUNNABLE and not block.skip):
            page_run.run(block)


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
