"""
The pages are easy to read, as `scripts/reading-level` measures it; it prints a row for each.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from types import ModuleType

import pytest

from tests.tidy.tree import ROOT

GRADE_MAX = {"guides": 9.0, "reference": 12.0}  # years of school
WORDS_MAX = {"guides": 60, "reference": 160}  # of the longest sentence, or list between semicolons


@pytest.fixture(name="script", scope="module")
def _script() -> ModuleType:
    """
    The script as a module.
    """
    loader = importlib.machinery.SourceFileLoader("reading_level", str(ROOT / "scripts/reading-level"))
    specification = importlib.util.spec_from_loader(loader.name, loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[loader.name] = module  # where dataclasses look
    loader.exec_module(module)
    return module


def test_each_page_is_easy_to_read(script: ModuleType) -> None:
    """
    No guide needs more than nine years of school, no format and no decision more than twelve; no sentence is endless.
    """
    hard = []
    for page in script.pages():
        level = script.level_of(page, (ROOT / page).read_text(encoding="utf-8"))
        kind = "reference" if page.startswith(("docs/formats/", "docs/decisions/")) else "guides"
        if level.grade > GRADE_MAX[kind] or level.longest > WORDS_MAX[kind]:
            hard.append(level)

    assert [] == hard


def test_only_prose_is_measured(script: ModuleType) -> None:
    """
    Blocks, tables, headings, comments and pictures are no prose; inline code is one word, and a link is its text.
    """
    page = "# Title\n\n<!-- no -->\n![no](a.png)\nOne `a.b(c)` [two](x.md).\n\n```sh\nno\n```\n| no | no |\n\n* Three\n"

    assert [["One", "code", "two"], ["Three"]] == script.sentences(script.prose(page))


def test_the_formula_is_that_of_flesch_and_kincaid(script: ModuleType) -> None:
    """
    Of two sentences with four words of six syllables each: 0.39 * 4 + 11.8 * 1.5 - 15.59, and 206.835 - 4.06 - 126.9.
    """
    level = script.level_of("p.md", "A table is better. A table is better.")

    assert (8, 3.7, 75.9, 4.0, 4) == (level.words, level.grade, level.ease, level.sentence, level.longest)
