"""
Pages of Markdown as programs: their fenced blocks, in order.

    ```python      is run; all Python blocks of a page are one program. With `>>>` it is a doctest
    ```console     lines after `$ ` are commands; what follows each is what it prints, `...` standing for anything
    ```sh          is run as a whole
    other          is text

A comment before a block changes that:

    <!-- not run: it needs a GPU -->      the reason is part of it
    <!-- prints -->                       this block is what the block before it prints
    <!-- exit 2 -->                       the commands of this block end with this code

A whole block inside a comment is run and not shown: that is how a page prepares what its examples speak of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.tidy.tree import ROOT

FENCE = re.compile(
    r"^(?P<indent> *)(?P<marks>`{3,})(?P<language>[\w+-]*)[^\n`]*\n(?P<body>.*?)^(?P=indent)(?P=marks)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
REMARK = re.compile(r"<!--\s*(?:(?P<skip>not run: \S[^\n]*?)|(?P<prints>prints)|exit (?P<code>\d+))\s*-->\s*\Z")
FRAMEWORKS = "docs/guide/integrations/"
"""Pages whose blocks need a training framework; `tests/adapters` runs them."""
RUNNABLE = ("python", "py", "console", "sh", "bash", "shell")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    """Where its first line stands in the page, from 1."""
    language: str
    body: str
    skip: str = ""
    """Why it is not run; empty if it is."""
    is_output: bool = False
    exit_code: int = 0

    @property
    def place(self) -> str:
        """For people: page and line."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console block, and what it prints."""

    text: str
    output: str


def pages() -> list[str]:
    """Name the pages whose blocks are run, from the root of the checkout."""
    docs = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", *docs]


def blocks(page: str, text: str | None = None) -> list[Block]:
    """Return the blocks of *page* (whose text is *text*, or what is in the file), in order."""
    text = (ROOT / page).read_text(encoding="utf-8") if text is None else text
    found = []
    for fence in FENCE.finditer(text):
        remark = REMARK.search(text, 0, fence.start())
        indent = len(fence["indent"])
        body = "".join(
            line[indent:] if line[:indent].isspace() else line for line in fence["body"].splitlines(keepends=True)
        )
        found.append(
            Block(
                page,
                text.count("\n", 0, fence.start("body")) + 1,
                fence["language"].lower(),
                body,
                skip=(remark["skip"] or "") if remark else "",
                is_output=bool(remark and remark["prints"]),
                exit_code=int(remark["code"] or 0) if remark else 0,
            )
        )
    return found


def commands(block: Block) -> list[Command]:
    """
    Return the commands of a console block. A line that ends in a backslash goes on in the next one, after `> ` or not.
    """
    found: list[Command] = []
    command: list[str] = []
    output: list[str] = []

    def end() -> None:
        if command:
            found.append(Command("\n".join(command), "".join(output)))
        command.clear()
        output.clear()

    for line in block.body.splitlines(True):
        if command and not output and command[-1].endswith("\\"):
            command.append(line.rstrip("\n").removeprefix("> "))
        elif line.startswith("$ "):
            end()
            command.append(line[2:].rstrip("\n"))
        elif command:
            output.append(line)
    end()
    return found


def matches(expected: str, printed: str) -> bool:
    """
    Return whether *printed* is what a page shows; `...` stands for anything, spaces at the ends of lines don't count.

    >>> matches("loss ...\\n", "loss 0.25\\n")
    True
    """
    lines = (("\n".join(line.rstrip() for line in text.strip("\n").splitlines())) for text in (expected, printed))
    wanted, got = lines
    pattern = ".*".join(re.escape(part) for part in re.split(r"\.\.\.|…", wanted))
    return re.fullmatch(pattern, got, re.DOTALL) is not None


def root_of(page: str) -> Path:
    """Return the folder that the links of *page* are relative to."""
    return (ROOT / page).parent
