"""
The forms in which a command prints its result, and the options that choose one.

    rows       `--format table|csv|md|json`, and `--json`: many records with the same columns
    a result   `--json`: one object, or a line of JSON for each thing that was changed; without it a sentence

Without an option rows are a table on a terminal, and JSON lines in a pipe. docs/formats/command-json.md has the JSON of
each command.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from aim.cli.output import FORMS, JSON

AnyFunction = Callable[..., Any]


def format_option(command: AnyFunction) -> AnyFunction:
    """Add `--format` and `--json` to a command that prints rows; the command gets `form`, None when none was chosen."""

    @functools.wraps(command)
    def with_form(*args: Any, form: str | None, as_json: bool, **values: Any) -> Any:
        return command(*args, form=JSON if as_json else form, **values)

    json_help = "Print a line of JSON for each row: --format json."
    chosen = click.option("--json", "as_json", is_flag=True, help=json_help)(with_form)
    forms_help = "How to print.  [default: table on a terminal, json in a pipe]"
    with_options: AnyFunction = click.option("--format", "form", type=click.Choice(FORMS), help=forms_help)(chosen)
    return with_options


def json_option(command: AnyFunction) -> AnyFunction:
    """Add `--json` to a command that does something; the command gets `as_json`."""
    option: AnyFunction = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    with_option: AnyFunction = option(command)
    return with_option
