"""
`aim tags`: list the tags, say what they mean and which colour they have, rename and delete them.
"""

from __future__ import annotations

from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import AimGroup, repo_option
from aim.cli.runs import open_repository
from aim.core.words import counted
from aim.engine.tags import Tags
from aim.storage.forms import edits

COLUMNS = ("name", "color", "runs", "description")


@click.group(cls=AimGroup)
@repo_option
def tags(repo: Path | None) -> None:
    """List, describe, rename and delete tags."""


def _tags(repo: Path | None) -> Tags:
    return Tags(open_repository(repo), by=edits.BY_CLI)


@tags.command("ls", short_help="List the tags, and how many runs have them.")
@repo_option
@click.option("--json/--table", "as_json", default=None, help="JSON lines, or a table.")
def ls(repo: Path | None, as_json: bool | None) -> None:
    """List the tags: their colour, how many runs have them, and what they mean."""
    records = [
        {"name": tag.name, "color": tag.color, "runs": tag.run_count, "description": tag.description}
        for tag in _tags(repo).all()
    ]
    output.rows(records, COLUMNS, as_json=as_json)
    output.tell(f"Total {counted(len(records), 'tag')}.")


@tags.command("set")
@repo_option
@click.argument("name")
@click.option("--color", default=None, help="#rrggbb, or a name such as blue; '' for none.")
@click.option("--description", default=None, help="What the tag means; '' for nothing.")
def set_tag(repo: Path | None, name: str, color: str | None, description: str | None) -> None:
    """
    Say which colour a tag has, and what it means.

    Example: show at once which runs are in the paper

        aim tags set paper --color green --description 'Is in the paper'
    """
    if color is None and description is None:
        raise click.UsageError("Give --color or --description.")
    tag = _tags(repo).put(name, color=color, description=description)
    output.tell(f"The tag {tag.name} is on {counted(tag.run_count, 'run')}.")


@tags.command("mv")
@repo_option
@click.argument("name")
@click.argument("new_name")
def mv(repo: Path | None, name: str, new_name: str) -> None:
    """Rename a tag on all its runs. If NEW_NAME is a tag already, the two become one."""
    output.tell(f"Renamed on {counted(_tags(repo).rename(name, new_name), 'run')}.")


@tags.command("rm")
@repo_option
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm(repo: Path | None, name: str, yes: bool) -> None:
    """Take a tag off all its runs, and forget its colour and description."""
    if not yes and not click.confirm(f"Take the tag {name} off all its runs?"):
        return
    output.tell(f"Took it off {counted(_tags(repo).delete(name), 'run')}.")
