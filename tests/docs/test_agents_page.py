"""
The ten questions of docs/guide/agents.md have the answers, and the counts of tokens, that the tools give.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.agents_page import BEGIN, END, PAGE, section
from tests.mcp.sweep import record_sweep

TOKENS_MAX = 4_000


def test_the_page_has_the_answers_of_the_tools(tmp_path: Path) -> None:
    """
    `python -m tests.docs.agents_page` would change nothing on the page, and all answers fit 4,000 tokens.
    """
    record_sweep(tmp_path)

    text = PAGE.read_text(encoding="utf-8")
    shown = BEGIN + text.partition(BEGIN)[2].partition(END)[0] + END
    total = re.search(r"together have ([\d,]+) tokens", shown)

    assert section(tmp_path) == shown
    assert total is not None
    assert int(total[1].replace(",", "")) <= TOKENS_MAX
