"""
docs/variables.md has every variable of the environment that the package reads, and no other of ours.
"""

from __future__ import annotations

import ast
import re

from aim.sdk import configs
from tests.tidy.tree import ROOT, sources

PAGE = ROOT / "docs/variables.md"
READS = ("environ", "getenv", "envvar")
VARIABLE = re.compile(r"(?:__)?[A-Z][A-Z0-9]*_[A-Z0-9_]+|TERM|SHELL|DISPLAY|RANK|ZDOTDIR")
SET_FOR_GIT = {"GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT", "LC_ALL"}
"""What the package sets for a program that it starts."""


def variables_of_the_source() -> dict[str, str]:
    """Return the names of variables in modules that read the environment, each with such a module."""
    names = {}
    for source in sources("src"):
        if any(word in source.text for word in READS):
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value):
                    names[node.value] = source.path
    return {name: path for name, path in names.items() if name not in {*SET_FOR_GIT, *configs.__all__}}


def variables_of_the_page() -> set[str]:
    """Return the names in code on the page."""
    return {name for name in re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")) if VARIABLE.fullmatch(name)}


def test_the_page_has_every_variable_that_is_read() -> None:
    """
    A variable that a module reads is on the page.
    """
    page = variables_of_the_page()

    assert {} == {name: path for name, path in variables_of_the_source().items() if name not in page}


def test_each_variable_on_the_page_is_read() -> None:
    """
    A variable of ours or of W&B on the page is read by the package, or by what tests and builds it.
    """
    builders = ["Makefile", "test", "hatch_build.py", "scripts/setup"]
    text = "".join(source.text for source in sources()) + "".join((ROOT / name).read_text() for name in builders)
    ours = {name for name in variables_of_the_page() if re.match(r"(__)?(AIM|WANDB)_|FUZZ_|SKIP_|EVERY_", name)}

    assert [] == sorted(name for name in ours - set(variables_of_the_source()) if name not in text)
