"""
How many tokens of a language model a text has at most, without its vocabulary.

Each model cuts texts in its own way, so this is an upper bound for usual ones: words by two letters, numbers by two
digits, each other sign by itself, and signs beyond ASCII by their bytes. Texts of runs have about half of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_PARTS = re.compile(
    r"(?P<word>[A-Z]?[a-z]+|[A-Z]+)|(?P<digits>[0-9]+)|(?P<joined>[ ](?=[A-Za-z]))|(?P<other>.)", re.DOTALL
)
MORE = "  ... and {} more"


def token_bound(text: str) -> int:
    """
    Return an upper bound of the tokens of a text.

    >>> token_bound("loss 0.25")
    6
    """
    count = 0
    for part in _PARTS.finditer(text):
        length = part.end() - part.start()
        if part.lastgroup == "word":
            count += max(min(length, 2), -(-length // 2))
        elif part.lastgroup == "digits":
            count += -(-length // 2)
        elif part.lastgroup == "other":
            count += len(part.group().encode("utf-8", "replace"))
    return count


@dataclass
class BudgetSection:
    """
    A part of a text that may be cut: a title, and lines of which the first ones are the most important.

    Attributes:
        least: so many lines are shown before any other section shows more.
    """

    title: str
    lines: list[str] = field(default_factory=list)
    least: int = 3


def text_within(sections: Sequence[BudgetSection], tokens_max: int) -> str:
    """
    Return sections as one text of at most *tokens_max* tokens: first the title and the *least* lines of each, in their
    order, then further lines of all in turn. What is left out is counted.

    >>> print(text_within([BudgetSection("A", ["one", "two", "three"], least=1), BudgetSection("B", ["x"])], 38))
    A
    one
      ... and 2 more
    B
    x
    """
    budget = _Budget(tokens_max)
    counts: list[int | None] = [budget.begin(section) for section in sections]
    is_growing = True
    while is_growing:
        is_growing = False
        for index, section in enumerate(sections):
            count = counts[index]
            if count is not None and count < len(section.lines) and budget.spend(section.lines[count]):
                counts[index] = count + 1
                is_growing = True
    lines: list[str] = []
    for section, count in zip(sections, counts, strict=True):
        if count is not None:
            rest_count = len(section.lines) - count
            lines += [section.title, *section.lines[:count], *([MORE.format(rest_count)] if rest_count else [])]
    return "\n".join(lines)


class _Budget:
    """So many tokens are left."""

    def __init__(self, tokens: int) -> None:
        self._left = tokens

    def spend(self, *lines: str) -> bool:
        """Take the tokens of lines, if there are so many left; return whether there were."""
        cost = token_bound("".join(f"{line}\n" for line in lines))
        if cost > self._left:
            return False
        self._left -= cost
        return True

    def begin(self, section: BudgetSection) -> int | None:
        """Take the tokens of a title and of the first lines; return how many lines, None: not even one has room."""
        if not section.lines or not self.spend(section.title, MORE.format(10_000), section.lines[0]):
            return None
        count = 1
        while count < min(section.least, len(section.lines)) and self.spend(section.lines[count]):
            count += 1
        return count
