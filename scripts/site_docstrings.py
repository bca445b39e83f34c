"""
An extension of griffe, for the docstrings of the site: examples, which begin with `>>>`, become blocks of code, and an
argument line for several names becomes a line for each.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SEVERAL = re.compile(r"(?P<indent> +)(?P<names>\w+(?:, \w+)+): (?P<text>.*)")


class DocstringExamples(griffe.Extension):
    """Puts a fence around each example of a docstring."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of a class, function or module."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(each_by_itself(obj.docstring.value))


def fenced(text: str) -> str:
    """
    Return *text* with each run of lines from `>>>` to the next empty line as a fenced block.

    >>> print(fenced("Add.\\n\\n>>> 1 + 1\\n2").replace("`", "'"))
    Add.
    <BLANKLINE>
    '''pycon
    >>> 1 + 1
    2
    '''
    """
    lines: list[str] = []
    is_inside = False
    for line in [*text.splitlines(), ""]:
        if not is_inside and line.lstrip().startswith(">>>"):
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}```pycon")
            is_inside = True
        elif is_inside and not line.strip():
            lines.append(f"{indent}```")
            is_inside = False
        lines.append(line)
    return "\n".join(lines).rstrip()


def each_by_itself(text: str) -> str:
    """
    Return *text* with an entry such as `name, context: as tracked` once for each of the names.

    >>> print(each_by_itself("Args:\\n    a, b: a number\\n        or None."))
    Args:
        a: a number
            or None.
        b: a number
            or None.
    """
    lines = text.splitlines()
    result: list[str] = []
    index = 0
    while index < len(lines):
        entry = SEVERAL.fullmatch(lines[index])
        end = index + 1
        if entry is None:
            result.append(lines[index])
        else:
            while end < len(lines) and lines[end].startswith(f"{entry['indent']} "):
                end += 1
            for name in entry["names"].split(", "):
                result += [f"{entry['indent']}{name}: {entry['text']}", *lines[index + 1 : end]]
        index = end
    return "\n".join(result)
