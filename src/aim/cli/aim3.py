"""
Commands of Aim 3 that scripts call. Those that have nothing to do here say why and end with exit code 0, so that
scripts go on.

    aim runs close            in Aim 3 removes a lock and marks the end. Here nothing is locked, and the end of a
                              process is detected: what is left to do is to seal its points
    aim runs upload           uploads the repository as a ZIP
    aim runs update-metrics   \
    aim storage upgrade 3.11+  } in Aim 3 change files of earlier versions; do nothing
    aim storage restore       /
    aim storage reindex       rebuilds the catalogue
    aim-watcher               in Aim 3 sends notifications about runs: `aim watch`
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import AimGroup, main, repo_option
from aim.cli.runs import matching_hashes, open_folder
from aim.core.statuses import LOST, RUNNING
from aim.core.words import counted
from aim.core.zones import local_time, read_zone
from aim.engine import care
from aim.engine.repository import Repository
from aim.storage.artifacts.registry import store_of
from aim.storage.forms.gaps import sentence

yes_option = click.option("-y", "--yes", is_flag=True, help="Ignored: accepted for scripts of Aim 3.")


@click.command()
@repo_option
@click.argument("hashes", nargs=-1, required=True)
@yes_option
@json_option
def close(repo: Path | str | None, hashes: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """
    Seal the points of runs whose process ended. HASHES may contain the wildcard *.

    For scripts of Aim 3. Runs are never locked, so a run need not be closed before it is resumed, moved or deleted. A
    run that is being recorded does not change.
    """
    repository = open_folder(repo)
    chosen = matching_hashes(repository, hashes)
    states = [{"hash": run_hash, "state": _status_text(repository, run_hash)} for run_hash in chosen]
    if not as_json:
        for state in states:
            output.tell(f"{state['hash']}: {state['state']}")
    sealed = care.seal(repository, chosen)
    text = f"Nothing was locked. Sealed the points of {counted(sealed, 'writer')}."
    output.result({"runs": states, "sealed_writers": sealed}, text, as_json=as_json)


def _status_text(repository: Repository, run_hash: str) -> str:
    state = repository.readers.state(run_hash)
    status, ended_at_s = state.status()
    if status == RUNNING:
        alive = next(writer for writer in state.writers.values() if writer.is_alive(time.time()))
        process = alive.process()
        where = f" by process {process.pid} on {process.host}" if process else ""
        return f"is being recorded{where}, so it does not change. End that process, or call run.close() in it."
    moment = local_time(ended_at_s or 0.0, read_zone(None)).isoformat(" ", "seconds")
    if status == LOST:
        return f"its process ended without closing it; it last wrote at {moment}, and its status is lost."
    losses = f" {sentence(state.gaps)}" if state.gaps else ""
    return f"ended at {moment} ({status}).{losses}"


@click.command()
@repo_option
@click.argument("bucket")
@json_option
def upload(repo: Path | str | None, bucket: str, as_json: bool) -> None:
    """
    Upload the whole repository as a ZIP file to BUCKET.

    BUCKET is the name of an S3 bucket, or an address: s3://bucket/folder, gs://, az://, file:///folder. Object stores
    need pip install "aim[s3]"; keys and endpoint come from the environment. The unpacked ZIP is a repository.
    """
    repository = open_folder(repo)
    address = bucket if "://" in bucket else f"s3://{bucket}"
    store = store_of(address)
    name = f"aim-{datetime.now():%Y-%m-%d-%H-%M-%S}.zip"
    progress = output.Progress("packed runs", len(repository.run_hashes()))
    with tempfile.TemporaryDirectory(prefix="aim-upload-") as folder:
        packed = Path(folder, name)
        count = care.write_archive(repository, packed, lambda _: progress.step())
        progress.end()
        size_bytes = packed.stat().st_size
        store.put(packed, name)
    written = f"{address.rstrip('/')}/{name}"
    if not as_json:
        output.say(written)
    text = f"Uploaded {counted(count, 'run')} in {size_bytes:,} bytes."
    output.result({"address": written, "runs": count, "bytes": size_bytes}, text, as_json=as_json)


@click.command()
@repo_option
@yes_option
@json_option
def reindex(repo: Path | str | None, yes: bool, as_json: bool) -> None:
    """
    Rebuild the catalogue, this machine's index of the runs.

    For scripts of Aim 3: every query updates the catalogue, so it need not be rebuilt.
    """
    progress = output.Progress("read runs", 0)
    count = open_folder(repo).questions().catalogue.rebuild(progress=progress.show)
    progress.end()
    output.result({"runs": count}, f"Read {counted(count, 'run')} again.", as_json=as_json)


def _nothing(name: str, help_text: str, why: str, *, takes_hashes: bool) -> click.Command:
    def tell(repo: Path | str | None, yes: bool, as_json: bool, hashes: tuple[str, ...] = ()) -> None:
        open_folder(repo)
        output.result({"outcome": "nothing", "reason": why}, f"Nothing to do: {why}", as_json=as_json)

    command = click.argument("hashes", nargs=-1)(tell) if takes_hashes else tell
    return click.command(name, help=f"{help_text} Does nothing.", hidden=True)(
        repo_option(yes_option(json_option(command)))
    )


update_metrics = _nothing(
    "update-metrics",
    "Update metrics of Aim 3.2.",
    "metrics of this version need no update.",
    takes_hashes=False,
)
restore = _nothing(
    "restore",
    "Undo an upgrade of the files.",
    "this version does not upgrade files, so there is nothing to undo.",
    takes_hashes=True,
)


@click.group(cls=AimGroup, lazy={"3to4": "aim.cli.importing:upgrade_3to4"}, short_help="Bring a repository of Aim 3.")
@repo_option
def upgrade(repo: Path | str | None) -> None:
    """Upgrade the files of a repository."""


upgrade.add_command(
    _nothing(
        "3.11+",
        "Upgrade metrics to the format of Aim 3.11.",
        "this version has one format of files. `aim storage seal` makes ended runs smaller and faster to read.",
        takes_hashes=True,
    )
)


WATCHER_TEXT = (
    "Note: aim-watcher is `aim watch` now. `aim alert channel` says where alerts go; files of Aim 3's notifiers are "
    "not read."
)


def watcher() -> None:
    """Run `aim watch`, under the name of Aim 3's `aim-watcher`."""
    output.tell(WATCHER_TEXT)
    words = [word for word in sys.argv[1:] if word != "start"]
    sys.argv[1:] = ["watch", *words]
    main()
