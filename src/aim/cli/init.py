"""
`aim init` and `aim version`.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from aim.__about__ import VERSION
from aim.cli import output
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
def init(repo: Path | None, yes: bool, skip_if_exists: bool) -> None:
    """Create an empty repository."""
    if yes and skip_if_exists:
        raise click.UsageError("--yes and --skip-if-exists can't be combined.")
    root = Path(os.path.expanduser(repo)) if repo is not None else Path.cwd()
    if repository_exists(root):
        if skip_if_exists:
            output.tell(f"The repository in {root} exists; nothing was changed.")
            return
        question = "Aim repository is already initialized. Do you want to re-initialize to empty Aim repository?"
        if not yes and not click.confirm(question):
            return
        remove_repository(root)
    Repository(root, create=True)
    output.tell(f"Initialized a new Aim repository at {root.resolve()}")


@click.command()
def version() -> None:
    """Print the version."""
    output.say(f"Aim v{VERSION}")
