"""
The pages of decisions: all listed, all of one form.
"""

from __future__ import annotations

import re

import pytest

from tests.tidy.tree import ROOT

DECISIONS = ROOT / "docs/decisions"
NAMES = sorted(path.name for path in DECISIONS.glob("*.md") if path.name != "README.md")


def test_each_decision_is_in_the_index() -> None:
    """
    The table of the index lists the pages that are there.
    """
    listed = re.findall(
        r"^\| \[[^\]]+\]\(([^)]+)\)", (DECISIONS / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert NAMES == sorted(listed)


@pytest.mark.parametrize("name", NAMES)
def test_a_decision_has_its_five_parts(name: str) -> None:
    """
    A page has the problem, what was tried or read, the choice, its price, and what would change our mind.
    """
    text = (DECISIONS / name).read_text(encoding="utf-8").lower()
    parts = {
        "problem": "problem",
        "what was tried or read": "tried",
        "the choice": "choice",
        "its price": "price",
        "what would change our mind": "change our mind",
    }

    assert [] == [
        part for part, word in parts.items() if not re.search(rf"(\*\*|^#+ )[^*\n]*{word}", text, re.MULTILINE)
    ]


def test_each_required_package_has_a_reason() -> None:
    """
    Every required package of pyproject.toml has a row in dependencies.md, and no other has.
    """
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert block is not None
    required = re.findall(r'"([\w-]+)', block[1])
    page = (DECISIONS / "dependencies.md").read_text(encoding="utf-8")
    reasons = re.findall(r"^\| (\w[\w-]*) \|", page, re.MULTILINE)

    assert sorted(required) == sorted(set(reasons) - {"package"})
