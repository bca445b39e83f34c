"""
`aim tags`: list tags, set their colour and description, rename and delete them.
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

COLUMNS = ("name", "color", "runs", "description", "id")


@click.group(cls=AimGroup)
@repo_option
def tags(repo: Path | None) -> None:
    """List, describe, rename and delete tags."""


def _tags(repo: Path | None) -> Tags:
    return Tags(open_repository(repo), by=edits.BY_CLI)


@tags.command("ls", short_help="List tags and their number of runs.")
@repo_option
@click.option("--json/--table", "as_json", default=None, help="Print JSON lines, or a table.")
def ls(repo: Path | None, as_json: bool | None) -> None:
    """List tags with their colour, number of runs and description."""
    records = [
        {"name": tag.name, "color": tag.color, "runs": tag.run_count, "description": tag.description, "id": tag.id}
        for tag in _tags(repo).all()
    ]
    output.rows(records, COLUMNS, as_json=as_json)
    output.tell(f"Total {counted(len(records), 'tag')}.")


@tags.command("set")
@repo_option
@click.argument("name")
@click.option("--color", default=None, help="The colour: #rrggbb, or a name such as blue; '' for none.")
@click.option("--description", default=None, help="What the tag means; '' for none.")
def set_tag(repo: Path | None, name: str, color: str | None, description: str | None) -> None:
    """
    Set the colour and the description of a tag.

    Example: mark the runs of a paper

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
    """Rename a tag on all its runs. If NEW_NAME exists, the two tags are merged."""
    output.tell(f"Renamed on {counted(_tags(repo).rename(name, new_name), 'run')}.")


@tags.command("rm")
@repo_option
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
def rm(repo: Path | None, name: str, yes: bool) -> None:
    """Remove a tag from all its runs, with its colour and description."""
    if not yes and not click.confirm(f"Remove the tag {name} from all its runs?"):
        return
    output.tell(f"Removed it from {counted(_tags(repo).delete(name), 'run')}.")
