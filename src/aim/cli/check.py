"""
`aim fsck` and `aim repair`: check every byte of runs, and copy what is intact.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.formats import format_option, json_option
from aim.cli.main import FOLDER_ADDRESS, repo_option
from aim.cli.runs import matching_hashes, open_folder
from aim.core.words import counted
from aim.engine import care

DAMAGE_COLUMNS = ("run", "file", "location", "problem")


@click.command(short_help="Check the integrity of runs.")
@repo_option
@click.argument("hashes", nargs=-1)
@format_option
def fsck(repo: Path | str | None, hashes: tuple[str, ...], form: str | None) -> None:
    """
    Check the integrity of the runs HASHES, or of all runs: read every byte, and list what is damaged.

    It prints a line of text for each damaged part, in a pipe too. Nothing is changed. Exit code 0: nothing is damaged;
    1: something is.
    """
    repository = open_folder(repo)
    chosen = matching_hashes(repository, hashes)
    each = ((run_hash, care.check_run(repository, run_hash)) for run_hash in chosen)
    progress = output.Progress("checked runs", len(chosen) or len(repository.run_hashes()))
    damage_count = runs = 0
    records: list[dict[str, Any]] = []
    for name, damage in each if chosen else care.check(repository):
        for item in damage:
            damage_count += 1
            if form is None:
                output.say(f"{name or 'repository'}  {item.file}  {item.location}: {item.problem}")
            record = {"run": name or None, "file": str(item.file), "location": str(item.location)}
            records.append({**record, "problem": str(item.problem)})
        runs += 1 if repository.has_run(name) else 0
        progress.step()
    progress.end()
    if form is not None:
        output.rows(records, DAMAGE_COLUMNS, form=form)
    if damage_count:
        output.tell(f"{counted(damage_count, 'damaged part')}. `aim repair RUN --to FOLDER` copies what is intact.")
        raise click.exceptions.Exit(1)
    output.tell(f"{counted(runs, 'run is', 'runs are')} whole.")


@click.command()
@repo_option
@click.argument("run_hash", required=False)
@click.option(
    "--to",
    "target",
    type=FOLDER_ADDRESS,
    help="The folder of the repository for the copy; created if it does not exist.",
)
@json_option
def repair(repo: Path | str | None, run_hash: str | None, target: Path | None, as_json: bool) -> None:
    """
    Copy what is intact of a damaged run into another repository. The original does not change.

    Without RUN_HASH the repository's own file FORMAT is written anew, if it is damaged.
    """
    repository = open_folder(repo)
    if run_hash is None and target is None:
        was_damaged = care.repair_format(repository)
        text = "FORMAT is written anew." if was_damaged else "FORMAT is whole."
        output.result({"run": None, "report": text}, text, as_json=as_json)
        return
    if run_hash is None or target is None:
        raise click.UsageError("RUN_HASH and --to belong together: `aim repair RUN --to FOLDER`.")
    report = care.repair(repository, repository.find_run(run_hash), Path(os.path.expanduser(target)))
    output.say(output.json_line({"run": run_hash, "report": report}) if as_json else report)
