"""
The JSON of commands as docs/formats/command-json.md has it, and commands run within the process of the tests.
"""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from typing import Any, NamedTuple

import click
import jsonschema

from aim.cli.main import aim
from aim.core.errors import AimError
from tests.tidy.tree import ROOT

PAGE = ROOT / "docs/formats/command-json.md"
SHARED = "What the schemas share"


class Printed(NamedTuple):
    """What a command printed, and its exit code."""

    out: str
    err: str
    code: int


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each command by its name, such as `aim runs ls`, each with what they share."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^## (.+?)\n(?:(?!^## ).)*?```json\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    parsed = {title: json.loads(block) for title, block in blocks}
    shared = parsed.pop(SHARED)
    return {title: {**schema, **shared} for title, schema in parsed.items()}


def strict(line: str) -> Any:
    """Parse a line as the standard has JSON: no NaN, and no two equal keys."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    return json.loads(line, parse_constant=refuse, object_pairs_hook=unique)


def check(command: str, printed: str) -> list[Any]:
    """Check each line that a command printed by its schema, and return the lines parsed."""
    validator = jsonschema.Draft202012Validator(schemas()[command])
    lines = [strict(line) for line in printed.splitlines()]
    for line in lines:
        validator.validate(line)
    return lines


def call(*words: str) -> Printed:
    """Run `aim` with *words* in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            returned = aim.main(list(words), prog_name="aim", standalone_mode=False)
            code = returned if isinstance(returned, int) else 0
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except AimError as error:
            print(error, file=err)
            code = 1
    return Printed(out.getvalue(), err.getvalue(), code)
