"""
docs/commands.md has every command; what it shows of each is compared by `test_pages`.
"""

from __future__ import annotations

import re

from tests.docs.commands_page import PAGE, commands


def test_the_page_has_every_command() -> None:
    """
    Each command has its section, in order; `python -m tests.docs.commands_page` makes the page again.
    """
    sections = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert [" ".join(path) for path, _ in commands()] == sections
