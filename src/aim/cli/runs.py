"""
`aim runs`: list, delete, copy and move runs.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import AimGroup, repo_option
from aim.cli.run_table import list_runs, tell_unknown_params
from aim.core.errors import AimError, RepoNotFound
from aim.core.words import counted
from aim.engine.repository import Repository


def open_repository(repo: Path | None) -> Repository:
    """
    Open the repository in *repo*, or the nearest one upward from the current folder.

    Raises:
        RepoNotFound: there is none.
    """
    if repo is not None:
        return Repository(Path(os.path.expanduser(repo)))
    root = Repository.find_root(Path.cwd())
    if root is None:
        raise RepoNotFound(f"There is no repository in {Path.cwd()} or above. `aim init` makes one; --repo names one.")
    return Repository(root)


@click.group(cls=AimGroup)
@repo_option
def runs(repo: Path | None) -> None:
    """List, delete, copy and move runs."""


@runs.command("ls")
@repo_option
@click.argument("query", default="")
@click.option(
    "--columns", default="hash,name,experiment,status,created_at", show_default=True, help="Names that a query knows."
)
@click.option("--sort", default="-created_at", show_default=True, help="A column; with - in front: largest first.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="The largest number of runs.")
@click.option("--json", "as_json", is_flag=True, default=None, help="JSON lines on a terminal too.")
@click.option("--corrupted", is_flag=True, help="Only runs with damaged event lines.")
def ls(
    repo: Path | None, query: str, columns: str, sort: str, limit: int | None, as_json: bool | None, corrupted: bool
) -> None:
    """
    List the runs that match QUERY, newest first.

    Example: what did the larger learning rates give?

        aim runs ls 'run.hparams.lr > 0.01' --columns name,hparams.lr,loss.last --limit 5

    A table on a terminal, JSON lines in a pipe. Exit code 0: found; 1: none; 2: the query is wrong.
    """
    repository = open_repository(repo)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    records = list_runs(repository, query, names, sort=sort, limit=limit, only_corrupted=corrupted)
    count = output.rows(records, names, as_json=as_json)
    output.tell(f"Total {counted(count, 'run')}.")
    if not count:
        tell_unknown_params(repository, query)
        raise click.exceptions.Exit(1)


@runs.command("rm")
@repo_option
@click.argument("hashes", nargs=-1, required=False)
@click.option("--corrupted", is_flag=True, help="The runs with damaged event lines.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm(repo: Path | None, hashes: tuple[str, ...], corrupted: bool, yes: bool) -> None:
    """Delete runs. HASHES may have * in them. There is no way back."""
    repository = open_repository(repo)
    chosen = _matching(repository, hashes)
    if corrupted:
        chosen += [state.run_hash for state in repository.states() if state.damage and state.run_hash not in chosen]
    if not chosen:
        raise click.UsageError("No run matches. `aim runs ls` lists the runs.")
    if not yes and not click.confirm(
        f"Delete {len(chosen)} of {counted(len(repository.run_hashes()), 'run')} for ever?"
    ):
        return
    _each(chosen, repository.delete_run, "Deleted")


@runs.command("cp")
@repo_option
@click.option(
    "--destination", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder that holds .aim."
)
@click.argument("hashes", nargs=-1, required=True)
def cp(repo: Path | None, destination: Path, hashes: tuple[str, ...]) -> None:
    """
    Copy runs into another repository. HASHES may have * in them.

    Of a run that is still recording the copy has what is there now.
    """
    repository, target = open_repository(repo), open_repository(destination)

    def copy(run_hash: str) -> None:
        if not repository.copy_run(run_hash, target):
            output.tell(f"{run_hash}: still recording; the copy has what was there.")

    _each(_matching(repository, hashes), copy, "Copied")


@runs.command("mv")
@repo_option
@click.option(
    "--destination", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder that holds .aim."
)
@click.argument("hashes", nargs=-1, required=True)
def mv(repo: Path | None, destination: Path, hashes: tuple[str, ...]) -> None:
    """Move runs that have ended into another repository. HASHES may have * in them."""
    repository, target = open_repository(repo), open_repository(destination)
    _each(_matching(repository, hashes), lambda run_hash: repository.move_run(run_hash, target), "Moved")


def _matching(repository: Repository, patterns: Sequence[str]) -> list[str]:
    everything = repository.run_hashes()
    chosen: list[str] = []
    for pattern in patterns:
        if "*" in pattern or "?" in pattern:
            chosen += [run_hash for run_hash in everything if fnmatch.fnmatchcase(run_hash, pattern)]
        else:
            chosen.append(repository.find_run(pattern))
    return list(dict.fromkeys(chosen))


def _each(run_hashes: Sequence[str], change: Callable[[str], None], done: str) -> None:
    failed = 0
    for run_hash in run_hashes:
        try:
            change(run_hash)
        except (AimError, OSError) as error:
            output.tell(f"{run_hash}: {error}")
            failed += 1
    output.tell(f"{done} {counted(len(run_hashes) - failed, 'run')}.")
    if failed:
        raise click.exceptions.Exit(1)
