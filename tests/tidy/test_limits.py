"""
The limits of size, and the words that may not stand in a file (EXAMPLES of what is meant: CONTRIBUTING.md).
"""

from __future__ import annotations

import ast
import re

from tests.tidy.tree import ROOT, FunctionNode, sources, tracked_files

LINES_A_FILE_MAX = 600
LINES_A_FUNCTION_MAX = 60
COLUMNS_MAX = 120
# Written in two parts, or this file would be its own finding.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
CODE_ENDINGS = (".py", ".ts", ".tsx", ".css", ".sh", ".toml")
STATES_THE_RULE = ("ui/test/tidy.test.ts",)  # the same rule for the pages


def test_no_file_is_longer_than_600_lines() -> None:
    """
    A file of code has at most 600 lines.
    """
    code = [name for name in tracked_files() if name.endswith(CODE_ENDINGS)]
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in code}

    assert {} == {name: length for name, length in lengths.items() if length > LINES_A_FILE_MAX}


def test_no_function_is_longer_than_60_lines() -> None:
    """
    A function has at most 60 lines, its docstring included.
    """
    too_long = {}
    for source in sources():
        for node in ast.walk(source.tree):
            if isinstance(node, FunctionNode) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LINES_A_FUNCTION_MAX:
                    too_long[f"{source.path}:{node.lineno} {node.name}"] = length

    assert {} == too_long


def test_nothing_is_left_to_be_done() -> None:
    """
    No file has a note that something is still to be done: it is done, or it is an issue.
    """
    marked = []
    for name in tracked_files():
        if name.endswith((*CODE_ENDINGS, ".md", "Makefile")) and name not in STATES_THE_RULE:
            for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1):
                if UNFINISHED.search(line):
                    marked.append(f"{name}:{number}: {line.strip()}")

    assert [] == marked, "\n".join(marked)
