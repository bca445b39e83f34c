"""
`aim init` and `aim version`.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from aim.__about__ import VERSION
from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import FOLDER_ADDRESS
from aim.engine.opening import remove_repository, repository_exists
from aim.engine.repository import Repository


@click.command()
@click.option(
    "--repo",
    type=FOLDER_ADDRESS,
    default=None,
    help="The folder for the repository.  [default: the current folder]",
)
@click.option("-y", "--yes", is_flag=True, help="Delete all runs of an existing repository without asking.")
@click.option("-s", "--skip-if-exists", is_flag=True, help="Do nothing if the repository exists.")
@json_option
def init(repo: Path | None, yes: bool, skip_if_exists: bool, as_json: bool) -> None:
    """Create an empty repository."""
    if yes and skip_if_exists:
        raise click.UsageError("--yes and --skip-if-exists can't be combined.")
    root = Path(os.path.expanduser(repo)) if repo is not None else Path.cwd()
    if repository_exists(root):
        if skip_if_exists:
            text = f"The repository in {root} exists; nothing was changed."
            output.result({"repo": str(root.resolve()), "outcome": "exists"}, text, as_json=as_json)
            return
        question = "Aim repository is already initialized. Do you want to re-initialize to empty Aim repository?"
        if not yes and not click.confirm(question):
            return
        remove_repository(root)
    Repository(root, create=True)
    record = {"repo": str(root.resolve()), "outcome": "created"}
    output.result(record, f"Initialized a new Aim repository at {root.resolve()}", as_json=as_json)


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Print the version."""
    output.say(output.json_line({"version": str(VERSION)}) if as_json else f"Aim v{VERSION}")
