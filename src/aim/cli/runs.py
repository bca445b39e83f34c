"""
`aim runs`: list, delete, copy and move runs.

What `aim runs ls` prints in a pipe is what Aim 3 prints: hashes with tabs between them and a line `Total N runs.`,
since scripts cut that apart; whoever asks for columns, or with --json, gets JSON lines.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import AimGroup, repo_option
from aim.cli.run_table import list_runs, tell_hints
from aim.core.errors import AimError, RepoNotFound, RunNotFound
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


COLUMNS = "hash,name,experiment,status,created_at"
LAZY = {
    "close": "aim.cli.aim3:close",
    "update-metrics": "aim.cli.aim3:update_metrics",
    "upload": "aim.cli.aim3:upload",
}


@click.group(cls=AimGroup, lazy=LAZY)
@repo_option
def runs(repo: Path | None) -> None:
    """List, delete, copy and move runs."""


@runs.command("ls")
@repo_option
@click.argument("query", default="")
@click.option("--columns", default=None, help=f"Names that a query knows.  [default: {COLUMNS}]")
@click.option("--sort", default="-created_at", show_default=True, help="A column; with - in front: largest first.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="The largest number of runs.")
@click.option("--json", "form", flag_value="json", help="JSON lines, one a run.")
@click.option("--plain", "form", flag_value="plain", help="Hashes with tabs between them, then a line with the total.")
@click.option("--corrupted", is_flag=True, help="Only runs with damaged event lines.")
def ls(
    repo: Path | None, query: str, columns: str | None, sort: str, limit: int | None, form: str | None, corrupted: bool
) -> None:
    """
    List the runs that match QUERY, newest first.

    Example: what did the larger learning rates give?

        aim runs ls 'run.hparams.lr > 0.01' --columns name,hparams.lr,loss.last --limit 5

    A table on a terminal. In a pipe as with --plain, which is what Aim 3 prints; with --columns as with --json.
    Exit code 0: found, or there was no QUERY; 1: QUERY finds none; 2: it is wrong.
    """
    repository = open_repository(repo)
    if form is None and not sys.stdout.isatty():
        form = "json" if columns else "plain"
    names = ["hash"] if form == "plain" else [name.strip() for name in (columns or COLUMNS).split(",") if name.strip()]
    records, total = list_runs(repository, query, names, sort=sort, limit=limit, only_corrupted=corrupted)
    if form == "plain":
        output.say(f"Total {output.words(str(record['hash']) for record in records)} runs.")  # 1 too: Aim 3's line
    else:
        row_count = output.rows(records, names, as_json=form == "json")
        output.tell(f"Total {counted(total, 'run')}{f', {row_count:,} row_count' if row_count < total else ''}.")
    if not total and query.strip():
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)


@runs.command("rm")
@repo_option
@click.argument("hashes", nargs=-1, required=False)
@click.option("--corrupted", is_flag=True, help="The runs with damaged event lines.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm(repo: Path | None, hashes: tuple[str, ...], corrupted: bool, yes: bool) -> None:
    """Delete runs. HASHES may have * in them. There is no way back."""
    if not hashes and not corrupted:
        raise click.UsageError("Say which runs: their hashes, '*' for all, or --corrupted. `aim runs ls` lists them.")
    repository = open_repository(repo)
    chosen = matching_hashes(repository, hashes)
    if corrupted:
        chosen += [state.run_hash for state in repository.states() if state.damage and state.run_hash not in chosen]
    if not chosen:
        output.tell("No run is damaged.")
        return
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

    _each(matching_hashes(repository, hashes), copy, "Copied")


@runs.command("mv")
@repo_option
@click.option(
    "--destination", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder that holds .aim."
)
@click.argument("hashes", nargs=-1, required=True)
def mv(repo: Path | None, destination: Path, hashes: tuple[str, ...]) -> None:
    """Move runs that have ended into another repository. HASHES may have * in them."""
    repository, target = open_repository(repo), open_repository(destination)
    _each(matching_hashes(repository, hashes), lambda run_hash: repository.move_run(run_hash, target), "Moved")


def matching_hashes(repository: Repository, patterns: Sequence[str]) -> list[str]:
    """
    Return the hashes of the runs that *patterns* name: hashes, beginnings of them, or patterns with * and ?.

    Raises:
        RunNotFound: one of them names none, or one that is no pattern several.
    """
    everything = repository.run_hashes()
    chosen: list[str] = []
    for pattern in patterns:
        if "*" in pattern or "?" in pattern:
            matches = [run_hash for run_hash in everything if fnmatch.fnmatchcase(run_hash, pattern)]
            if not matches:
                raise RunNotFound(f"No run's hash is like {pattern!r}. `aim runs ls` lists the runs.")
            chosen += matches
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
