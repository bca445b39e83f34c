"""
`aim storage`: maintenance of a repository's files.
"""

from __future__ import annotations

from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import AimGroup, repo_option
from aim.cli.runs import matching_hashes, open_folder
from aim.core.words import counted
from aim.engine import care

LAZY = {
    "reindex": "aim.cli.aim3:reindex",
    "restore": "aim.cli.aim3:restore",
    "upgrade": "aim.cli.aim3:upgrade",
}


@click.group(cls=AimGroup, lazy=LAZY)
@repo_option
def storage(repo: Path | str | None) -> None:
    """Maintain the files of a repository."""


@storage.command(short_help="Convert ended runs to Parquet.")
@repo_option
@click.argument("hashes", nargs=-1)
@json_option
def seal(repo: Path | str | None, hashes: tuple[str, ...], as_json: bool) -> None:
    """
    Convert the points of ended runs to Parquet: the files are smaller, and DuckDB, Polars and pandas read them.

    Without HASHES all ended runs are converted. May be repeated and interrupted at any time.
    """
    repository = open_folder(repo)
    chosen = matching_hashes(repository, hashes) if hashes else repository.run_hashes()
    progress = output.Progress("sealed runs", len(chosen))
    total = care.seal(repository, chosen, progress.step)
    progress.end()
    text = f"Sealed the points of {counted(total, 'writer')} in {counted(len(chosen), 'run')}."
    output.result({"runs": len(chosen), "sealed_writers": total}, text, as_json=as_json)


@storage.command()
@repo_option
@json_option
def prune(repo: Path | str | None, as_json: bool) -> None:
    """Remove files that interrupted deletions left."""
    open_folder(repo).empty_trash()
    output.result({"outcome": "pruned"}, "The trash is empty.", as_json=as_json)
