"""
ARCHITECTURE.md names every room of the house, and no room that is not there.

A room is a folder of the package. What each file is stands in the file's own header, and nowhere else.
"""

from __future__ import annotations

import re

from tests.tidy.tree import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "src/aim"


def rooms_on_the_page() -> set[str]:
    """Return the rooms of the table: `storage/disk/`, `cli/`."""
    return set(re.findall(r"^\| `([a-z0-9_/]+/)` \|", TEXT, re.MULTILINE))


def rooms_of_the_package() -> set[str]:
    """Return every folder of modules of the package, as the table writes it."""
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    return {f"{folder}/" for folder in folders if folder != "." and not folder.startswith("server/static")}


def test_every_room_has_a_line() -> None:
    """
    Each folder of modules has one line in the table.
    """
    assert set() == rooms_of_the_package() - rooms_on_the_page()


def test_every_line_has_its_room() -> None:
    """
    What the table speaks of is there.
    """
    assert set() == rooms_on_the_page() - rooms_of_the_package()
