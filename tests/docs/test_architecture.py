"""
ARCHITECTURE.md says where a line belongs: every module has its row, and every row its module.
"""

from __future__ import annotations

import re

from tests.tidy.tree import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FLOORS = ("core", "storage", "query", "engine", "sdk", "server", "cli")


def _rows() -> set[str]:
    """List what the table speaks of: `storage/writer.py`, `sdk/objects/`."""
    found = set()
    for cell in re.findall(rf"^\| ((?:{'|'.join(FLOORS)})/[^|]*) \|", TEXT, re.MULTILINE):
        floor = cell.partition("/")[0]
        for name in cell.split(", "):
            found.add(name if name.startswith(f"{floor}/") else f"{floor}/{name}")
    return found


def test_every_module_has_a_row() -> None:
    """
    A module of a floor stands in the table, or its folder does.
    """
    rows = _rows()
    missing = []
    for floor in FLOORS:
        for path in sorted((ROOT / "src/aim" / floor).rglob("*.py")):
            name = path.relative_to(ROOT / "src/aim").as_posix()
            folders = {f"{parent.as_posix()}/" for parent in path.relative_to(ROOT / "src/aim").parents}
            if not path.name.startswith("__") and name not in rows and not folders & rows:
                missing.append(name)

    assert [] == missing


def test_every_row_has_its_module() -> None:
    """
    What the table speaks of is there.
    """
    assert [] == [name for name in sorted(_rows()) if not (ROOT / "src/aim" / name).exists()]
