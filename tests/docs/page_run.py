"""
A page as a program: its blocks are run, in order, in an empty folder.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

from tests.docs.pages import RUNNABLE, Block, blocks, commands, matches
from tests.tidy.tree import ROOT

COMMAND_TIMEOUT_S = 120


class PageRun:
    """The page as a program: one namespace for its Python, one folder for its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.printed = ""

    def run_page(self, page: str) -> None:
        """Run all blocks of a page but those that say why they are not run."""
        for block in blocks(page):
            if block.is_output or (block.language in RUNNABLE and not block.skip):
                self.run(block)

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
