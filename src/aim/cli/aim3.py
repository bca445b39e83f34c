"""
Commands that scripts written for Aim 3 call. What has a meaning here is done; of the rest is said why there is nothing
to do, and the script goes on: exit code 0.

    aim runs close            Aim 3 takes a lock away and writes an end. Nothing is locked here, and a process that is
                              gone is known to be: what is left to do is sealing its points.
    aim runs upload           a ZIP of the repository into a bucket
    aim runs update-metrics   \
    aim storage upgrade        } changed files of earlier versions of Aim 3
    aim storage restore       /
    aim storage reindex       makes the catalogue anew
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime
from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import AimGroup, repo_option
from aim.cli.runs import matching_hashes, open_repository
from aim.core.statuses import LOST, RUNNING
from aim.core.words import counted
from aim.engine import sealing
from aim.engine.repository import Repository
from aim.storage.artifacts.registry import store_of
from aim.storage.care.archive import write_archive

yes_option = click.option("-y", "--yes", is_flag=True, help="Without meaning: nothing is asked.")


@click.command()
@repo_option
@click.argument("hashes", nargs=-1, required=True)
@yes_option
def close(repo: Path | None, hashes: tuple[str, ...], yes: bool) -> None:
    """
    Seal the points of runs whose process is gone. HASHES may have * in them.

    For scripts written for Aim 3. Nothing is ever locked, so a run never has to be closed before it is resumed, moved
    or deleted; a run that is being recorded is left alone.
    """
    repository = open_repository(repo)
    chosen = matching_hashes(repository, hashes)
    for run_hash in chosen:
        output.tell(f"{run_hash}: {_how_it_is(repository, run_hash)}")
    sealed = sealing.seal_all(repository.store.run_folder(run_hash) for run_hash in chosen)
    output.tell(f"Nothing was locked. Sealed the points of {counted(sealed, 'writer')}.")


def _how_it_is(repository: Repository, run_hash: str) -> str:
    state = repository.state(run_hash)
    status, ended_at_s = state.status()
    if status == RUNNING:
        alive = next(writer for writer in state.writers.values() if writer.is_alive(time.time()))
        process = alive.process()
        where = f" by process {process.pid} on {process.host}" if process else ""
        return f"is being recorded{where}, and is left alone. End that process, or call run.close() in it."
    moment = datetime.fromtimestamp(ended_at_s or 0.0).isoformat(" ", "seconds")
    if status == LOST:
        return f"its process is gone; it was last heard of at {moment}, and is listed as lost."
    return f"has ended at {moment} ({status})."


@click.command()
@repo_option
@click.argument("bucket")
def upload(repo: Path | None, bucket: str) -> None:
    """
    Store a ZIP of the whole repository in BUCKET.

    BUCKET is the name of an S3 bucket, or an address: s3://bucket/folder, gs://, az://, file:///folder. Object stores
    need pip install "aim[s3]"; keys and endpoint come from the environment. Unpacked, the ZIP is a repository.
    """
    repository = open_repository(repo)
    address = bucket if "://" in bucket else f"s3://{bucket}"
    store = store_of(address)
    name = f"aim-{datetime.now():%Y-%m-%d-%H-%M-%S}.zip"
    progress = output.Progress("packed runs", len(repository.run_hashes()))
    with tempfile.TemporaryDirectory(prefix="aim-upload-") as folder:
        packed = Path(folder, name)
        count = write_archive(repository.store, packed, lambda _: progress.step())
        progress.end()
        size_bytes = packed.stat().st_size
        store.put(packed, name)
    output.say(f"{address.rstrip('/')}/{name}")
    output.tell(f"Uploaded {counted(count, 'run')} in {size_bytes:,} bytes.")


@click.command()
@repo_option
@yes_option
def reindex(repo: Path | None, yes: bool) -> None:
    """
    Make this machine's catalogue of the runs anew.

    For scripts written for Aim 3: the catalogue is kept up to date by whoever asks, so it never has to be made.
    """
    progress = output.Progress("read runs", 0)
    count = open_repository(repo).catalogue.rebuild(progress=progress.show)
    progress.end()
    output.tell(f"Read {counted(count, 'run')} anew.")


def _nothing(name: str, help_text: str, why: str, *, takes_hashes: bool) -> click.Command:
    def tell(repo: Path | None, yes: bool, hashes: tuple[str, ...] = ()) -> None:
        open_repository(repo)
        output.tell(f"Nothing to do: {why}")

    command = click.argument("hashes", nargs=-1)(tell) if takes_hashes else tell
    return click.command(name, help=f"{help_text} Does nothing.", hidden=True)(repo_option(yes_option(command)))


update_metrics = _nothing(
    "update-metrics",
    "Bring metrics of Aim 3.2 into a newer form.",
    "the files of this version have what reading needs from the beginning.",
    takes_hashes=False,
)
restore = _nothing(
    "restore",
    "Take an upgrade of the files back.",
    "files are never rewritten in another form, so there is no earlier form to go back to.",
    takes_hashes=True,
)


@click.group(cls=AimGroup, hidden=True)
@repo_option
def upgrade(repo: Path | None) -> None:
    """Bring metrics into a newer form. Does nothing."""


upgrade.add_command(
    _nothing(
        "3.11+",
        "Bring metrics into the form of Aim 3.11.",
        "this version has one form of files. `aim storage seal` makes those of ended runs small and fast to read.",
        takes_hashes=True,
    )
)
