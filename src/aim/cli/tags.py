"""
`aim tags`: list tags, set their colour and description, rename and delete them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import AimGroup, repo_option
from aim.cli.runs import open_repository
from aim.core.tags import Tag
from aim.core.words import counted
from aim.engine.door import TagDoor
from aim.storage.forms import edits

COLUMNS = ("name", "color", "runs", "description", "id")


@click.group(cls=AimGroup)
@repo_option
def tags(repo: Path | str | None) -> None:
    """List, describe, rename and delete tags."""


def _tags(repo: Path | str | None) -> TagDoor:
    return open_repository(repo).tags(by=edits.BY_CLI)


@tags.command("ls", short_help="List tags and their number of runs.")
@repo_option
@format_option
@click.option("--table", is_flag=True, hidden=True)
def ls(repo: Path | str | None, form: str | None, table: bool) -> None:
    """List tags with their colour, number of runs and description."""
    records = [_record(tag) for tag in _tags(repo).all()]
    output.rows(records, COLUMNS, form=output.TABLE if table else form)
    output.tell(f"Total {counted(len(records), 'tag')}.")


def _record(tag: Tag) -> dict[str, Any]:
    return {"name": tag.name, "color": tag.color, "runs": tag.run_count, "description": tag.description, "id": tag.id}


@tags.command("set")
@repo_option
@click.argument("name")
@click.option("--color", default=None, help="The colour: #rrggbb, or a name such as blue; '' for none.")
@click.option("--description", default=None, help="What the tag means; '' for none.")
@json_option
def set_tag(repo: Path | str | None, name: str, color: str | None, description: str | None, as_json: bool) -> None:
    """
    Set the colour and the description of a tag.

    Example: mark the runs of a paper

        aim tags set paper --color green --description 'Is in the paper'
    """
    if color is None and description is None:
        raise click.UsageError("Give --color or --description.")
    tag = _tags(repo).put(name, color=color, description=description)
    output.result(_record(tag), f"The tag {tag.name} is on {counted(tag.run_count, 'run')}.", as_json=as_json)


@tags.command("mv")
@repo_option
@click.argument("name")
@click.argument("new_name")
@json_option
def mv(repo: Path | str | None, name: str, new_name: str, as_json: bool) -> None:
    """Rename a tag on all its runs. If NEW_NAME exists, the two tags are merged."""
    count = _tags(repo).rename(name, new_name)
    record = {"name": new_name, "outcome": "renamed", "runs": count}
    output.result(record, f"Renamed on {counted(count, 'run')}.", as_json=as_json)


@tags.command("rm")
@repo_option
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
@json_option
def rm(repo: Path | str | None, name: str, yes: bool, as_json: bool) -> None:
    """Remove a tag from all its runs, with its colour and description."""
    if not yes and not click.confirm(f"Remove the tag {name} from all its runs?"):
        return
    count = _tags(repo).delete(name)
    record = {"name": name, "outcome": "removed", "runs": count}
    output.result(record, f"Removed it from {counted(count, 'run')}.", as_json=as_json)
