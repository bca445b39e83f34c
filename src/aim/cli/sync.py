"""
`aim sync`: send runs to a server.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.core.addresses import folder_of_address, is_server, server_address
from aim.core.words import counted
from aim.engine.document_sync import sync_documents
from aim.engine.opening import open_door
from aim.engine.repository import Repository
from aim.engine.spool_shipping import left_text
from aim.engine.syncing import FolderSync, SyncReport
from aim.storage.shipping.spool import ShippedFolder, Spool, spools

LEFT_EXIT = 3


@click.command(short_help="Send runs to a server, or bring them from there.")
@click.argument("folder", required=False)
@click.argument("address", required=False)
@click.option("--query", default=None, help="Send only the runs that match.")
@click.option("--follow", is_flag=True, help="Go on with runs that are being recorded until they end.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=None,
    help="Go on for so many seconds, whether a server answers or not.",
)
@click.option("--again", multiple=True, metavar="RUN", help="Send a run although it was deleted at the server.")
@json_option
def sync(
    folder: str | None,
    address: str | None,
    query: str | None,
    follow: bool,
    wait: float | None,
    again: tuple[str, ...],
    as_json: bool,
) -> None:
    """
    Send runs to a server, or bring them from there.

    Without arguments: what trainings that record to servers have left on this machine (the spools of this user). With
    FOLDER and ADDRESS: the runs of a repository, such as `aim sync . aim://host:53800/project`. What the server has is
    not sent twice, so it may be interrupted and repeated at any time. With an address first and a folder second the
    runs of the server come into the folder, which is made if it is not there: `aim sync aim://host:53800/project .`

    Saved views, reports, alert rules, annotations and the colours of tags go with the runs, unless --query chooses some
    of these: of a document that both sides have, the one that was saved last stays. What was deleted on the side that
    is read is deleted on the other one, too, unless it was saved there since.

    Exit code 3: something is left.
    """
    if folder is not None and is_server(folder):
        if address is None or is_server(address) or follow or wait is not None or again:
            raise click.UsageError("Runs of a server go into a folder, as they are now: aim sync ADDRESS FOLDER")
        reports = [_fetch(folder, address, query)]
    else:
        reports = _sent(folder, address, query, wait, again, follow=follow, as_json=as_json)
    for report in reports:
        _tell(report, as_json=as_json)
    if any(report.left_runs for report in reports):
        raise click.exceptions.Exit(LEFT_EXIT)


def _fetch(address: str, folder: str, query: str | None) -> SyncReport:
    from aim.engine.remote.door import ServerRepository
    from aim.engine.remote.fetching import fetch_runs

    source = open_door(address)
    target = open_door(folder_of_address(folder), create=True)
    if not isinstance(source, ServerRepository) or not isinstance(target, Repository):
        raise click.UsageError("Runs of a server go into a folder: aim sync ADDRESS FOLDER")
    chosen = source.run_hashes() if query is None else source.questions().runs(query)
    bar = output.Progress("fetched runs", len(chosen))
    report = fetch_runs(source, target, chosen, bar.show)
    bar.end()
    if query is None:
        report = report.with_documents(sync_documents(source.documents, target.documents))
    return report


def _sent(
    folder: str | None,
    address: str | None,
    query: str | None,
    wait: float | None,
    again: tuple[str, ...],
    *,
    follow: bool,
    as_json: bool,
) -> list[SyncReport]:
    sources = _sources(folder, address)
    chosen = _chosen(folder, query)
    if not sources and not as_json:
        output.tell("Nothing waits on this machine to be sent.")
    reports = [_send(source, chosen, wait, again, follow=follow) for source in sources]
    if folder is None or address is None or query is not None or reports[0].left_runs:
        return reports
    brought = sync_documents(open_door(folder_of_address(folder)).documents, open_door(address, create=True).documents)
    return [reports[0].with_documents(brought)]


def _sources(folder: str | None, address: str | None) -> list[ShippedFolder]:
    if folder is None:
        return list(spools())
    if address is None:
        raise click.UsageError("Name the address of the server too: aim sync FOLDER aim://host:53800/project")
    root = Path(folder_of_address(folder)).absolute()
    open_door(root)  # says what is wrong with it
    return [ShippedFolder.of_repository(root, str(server_address(address)))]


def _chosen(folder: str | None, query: str | None) -> Collection[str] | None:
    if query is None:
        return None
    if folder is None:
        raise click.UsageError("--query needs FOLDER and ADDRESS.")
    return set(open_door(folder_of_address(folder)).questions().runs(query))


def _send(
    source: ShippedFolder, chosen: Collection[str] | None, wait: float | None, again: tuple[str, ...], *, follow: bool
) -> SyncReport:
    bar = output.Progress("sent bytes", 0)
    syncing = FolderSync(source, run_hashes=chosen, again=again, show=bar.show)
    report = syncing.send(wait, follow=follow)
    bar.end()
    if isinstance(source, Spool) and not report.left_runs:
        syncing.sweep()
    return report


def _tell(report: SyncReport, *, as_json: bool) -> None:
    sent = f"{counted(report.runs - report.left_runs, 'run is', 'runs are')} at {report.address}."
    left = f" Left: {left_text(report.left_runs, report.left_bytes)}." if report.left_runs else ""
    brought = f" Brought over {counted(report.documents, 'document')}." if report.documents else ""
    brought += f" Deleted {counted(report.documents_deleted, 'document')}." if report.documents_deleted else ""
    why = f" {report.failure}" if report.failure and not report.is_told else ""
    form = report._asdict()
    del form["is_told"]
    output.result(form, sent + left + brought + why, as_json=as_json)
