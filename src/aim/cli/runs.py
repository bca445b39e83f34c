"""
`aim runs`: list, delete, copy and move runs.

In a pipe `aim runs ls` prints what Aim 3 prints, since scripts parse that: hashes with tabs between them, and a line
`Total N runs.`; with --columns or --json it prints JSON lines.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import REPOSITORY_ADDRESS, AimGroup, repo_option
from aim.cli.run_table import list_runs, tell_hints
from aim.core.addresses import folder_of_address, is_server
from aim.core.errors import AimError, RepoNotFound, RunNotFound
from aim.core.words import counted
from aim.engine.door import Door
from aim.engine.opening import REPO_VARIABLE, current_root, default_address, find_repository, open_door
from aim.engine.repository import Repository


def chosen_address(repo: Path | str | None) -> Path | str:
    """
    Return the repository that a command is about: *repo*, else that of `AIM_REPO`, else the current folder or the
    nearest above it that holds one.

    Raises:
        RepoNotFound: there is none.
        OldRepository: there is one of Aim 3.
    """
    chosen = default_address() if repo is None and os.environ.get(REPO_VARIABLE) else repo
    if isinstance(chosen, str) and is_server(chosen):
        return chosen
    root = find_repository(Path.cwd()) if chosen is None else folder_of_address(chosen)
    if root is None:
        raise RepoNotFound(
            f"There is no repository in {Path.cwd()} or above it. Create one with `aim init`, or name one with --repo."
        )
    return current_root(root, warn=output.tell)


def open_repository(repo: Path | str | None) -> Door:
    """
    Open the repository that a command is about, in a folder or on a server; see `chosen_address`.

    Raises:
        ServerUnreachable, ServerRefused, InsecureAddress: the server can't be asked.
    """
    return open_door(chosen_address(repo))


def open_folder(repo: Path | str | None) -> Repository:
    """
    Open the repository that a command is about, for what works on its files; see `chosen_address`.

    Raises:
        UsageError: it is on a server.
    """
    return Repository(folder_of_address(chosen_address(repo)))


COLUMNS = "hash,name,experiment,status,created_at"
AnyFunction = Callable[..., None]
LAZY = {
    "close": "aim.cli.aim3:close",
    "update-metrics": "aim.cli.aim3:update_metrics",
    "upload": "aim.cli.aim3:upload",
}


@click.group(cls=AimGroup, lazy=LAZY)
@repo_option
def runs(repo: Path | str | None) -> None:
    """List, delete, copy and move runs."""


@runs.command("ls")
@repo_option
@click.argument("query", default="")
@click.option(
    "--columns",
    default=None,
    help="Properties, params and metrics, such as name,hparams.lr,loss.last,loss[subset=val].min.  "
    f"[default: {COLUMNS}]",
)
@click.option(
    "--sort", default="-created_at", show_default=True, help="Sort by this column; - in front: largest first."
)
@click.option("--limit", type=click.IntRange(min=1), default=None, help="List at most this many runs.")
@format_option
@click.option("--plain", is_flag=True, help="Print hashes in one line, then the total, as Aim 3.")
@click.option("--corrupted", is_flag=True, help="List only runs whose event file is damaged.")
def ls(
    repo: Path | str | None,
    query: str,
    columns: str | None,
    sort: str,
    limit: int | None,
    form: str | None,
    plain: bool,
    corrupted: bool,
) -> None:
    """
    List the runs that match QUERY, newest first.

    Example: compare the final loss of the runs with larger learning rates

        aim runs ls 'run.hparams.lr > 0.01' --columns name,hparams.lr,loss.last --limit 5

    Prints a table on a terminal; in a pipe as with --plain, or with --columns as with --json. Exit code 0: some runs
    match, or there is no QUERY; 1: no run matches; 2: the query is wrong.
    """
    repository = open_repository(repo)
    if form is None and not sys.stdout.isatty():
        form, plain = (None, True) if plain or not columns else (output.JSON, False)
    names = ["hash"] if plain else column_names(columns or COLUMNS)
    page = list_runs(repository, query, names, sort=sort, limit=limit, only_corrupted=corrupted)
    if plain:
        output.say(f"Total {output.words(str(row['hash']) for row in page.rows)} runs.")  # "1 runs" too, as in Aim 3
    else:
        rows = [_printed(row, names, for_people=form in (None, output.TABLE)) for row in page.rows]
        tell_total(page.total, output.rows(rows, names, form=form))
    if not page.total and query.strip():
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)


def _printed(row: Mapping[str, Any], names: Iterable[str], *, for_people: bool) -> dict[str, Any]:
    """Return the cells called *names*; for people the status says what was lost as well."""
    printed = {name: row[name] for name in names}
    if for_people and "status" in printed and row["losses"] is not None:
        printed["status"] = f"{row['status']}, {row['losses']}"
    return printed


def tell_total(total: int, row_count: int) -> None:
    """Say how many runs match, and how many of them were printed."""
    output.tell(f"Total {counted(total, 'run')}{f', {row_count:,} shown' if row_count < total else ''}.")


def column_names(columns: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in columns.split(",") if name.strip()]


@runs.command("rm")
@repo_option
@click.argument("hashes", nargs=-1, required=False)
@click.option("--corrupted", is_flag=True, help="Delete all runs whose event file is damaged.")
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
@json_option
def rm(repo: Path | str | None, hashes: tuple[str, ...], corrupted: bool, yes: bool, as_json: bool) -> None:
    """Delete runs for good. HASHES may contain the wildcard *."""
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
        f"Delete {len(chosen)} of {counted(len(repository.run_hashes()), 'run')} for good?"
    ):
        return
    _for_each(chosen, repository.delete_run, "Deleted", as_json=as_json)


def _destination_options(command: AnyFunction) -> AnyFunction:
    """Add what `cp` and `mv` share: the hashes, the target repository, and `--repo`."""
    command = click.argument("hashes", nargs=-1, required=True)(command)
    help_text = "The folder of the other repository: it contains .aim."
    command = click.option("--destination", required=True, type=REPOSITORY_ADDRESS, help=help_text)(command)
    with_options: AnyFunction = repo_option(json_option(command))
    return with_options


@runs.command("cp")
@_destination_options
def cp(repo: Path | str | None, destination: Path | str, hashes: tuple[str, ...], as_json: bool) -> None:
    """
    Copy runs into another repository. HASHES may contain the wildcard *.

    Runs that are still recording are copied as they are now.
    """
    repository, target = open_repository(repo), open_repository(destination)

    def copy(run_hash: str) -> None:
        if not repository.copy_run(run_hash, target):
            output.tell(f"{run_hash}: still recording; the copy has what was recorded so far.")

    _for_each(matching_hashes(repository, hashes), copy, "Copied", as_json=as_json)


@runs.command("mv")
@_destination_options
def mv(repo: Path | str | None, destination: Path | str, hashes: tuple[str, ...], as_json: bool) -> None:
    """Move ended runs into another repository. HASHES may contain the wildcard *."""
    repository, target = open_repository(repo), open_repository(destination)
    chosen = matching_hashes(repository, hashes)
    _for_each(chosen, lambda run_hash: repository.move_run(run_hash, target), "Moved", as_json=as_json)


def matching_hashes(repository: Door, patterns: Sequence[str]) -> list[str]:
    """
    Return the hashes of the runs that *patterns* name: hashes, beginnings of hashes, or patterns with * and ?.

    Raises:
        RunNotFound: one of them matches no run, or a beginning matches several.
    """
    run_hashes = repository.run_hashes()
    chosen_hashes: list[str] = []
    for pattern in patterns:
        if "*" in pattern or "?" in pattern:
            matches = [run_hash for run_hash in run_hashes if fnmatch.fnmatchcase(run_hash, pattern)]
            if not matches:
                raise RunNotFound(f"No run has a hash like {pattern!r}. `aim runs ls` lists the runs.")
            chosen_hashes += matches
        else:
            chosen_hashes.append(repository.find_run(pattern))
    return list(dict.fromkeys(chosen_hashes))


def _for_each(run_hashes: Sequence[str], change: Callable[[str], None], done: str, *, as_json: bool) -> None:
    failed = 0
    for run_hash in run_hashes:
        message = None
        try:
            change(run_hash)
        except (AimError, OSError) as error:
            message = str(error)
            failed += 1
        if as_json:
            outcome = done.lower() if message is None else "failed"
            output.say(output.json_line({"hash": run_hash, "outcome": outcome, "error": message}))
        elif message is not None:
            output.tell(f"{run_hash}: {message}")
    output.tell(f"{done} {counted(len(run_hashes) - failed, 'run')}.")
    if failed:
        raise click.exceptions.Exit(1)
