"""
docs/commands.md, made from the commands themselves:  python -m tests.docs.commands_page

The page is checked twice: it is what this module makes of the commands' help, and `test_pages` runs each command on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from aim.cli.main import aim
from tests.tidy.tree import ROOT

PAGE = ROOT / "docs/commands.md"
INTRODUCTION = """\
# The commands

The help of every command. A command uses the repository in the current folder or the nearest folder above it, unless
`--repo` names another. An error is one message that says what to do, with exit code 2 for a wrong call and 1 otherwise.

This page is made by `python -m tests.docs.commands_page`; each text on it is compared with what the program prints.
"""


def commands(
    command: click.Command = aim, path: tuple[str, ...] = ("aim",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return each command below *command* with its path, parents first, by name."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, (*path, name))


def help_text(path: tuple[str, ...]) -> str:
    """Return the help of a command as the program prints it."""
    program = Path(sys.executable).with_name(path[0])
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [program, *path[1:], "--help"], env=environment, capture_output=True, text=True, check=True
    ).stdout


def page() -> str:
    """Make the text of docs/commands.md."""
    parts = [INTRODUCTION]
    for path, _ in commands():
        title = " ".join(path)
        lines = "\n".join(line.rstrip() for line in help_text(path).splitlines())
        parts.append(f"## {title}\n\n```console\n$ {title} --help\n{lines}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
