"""
`aim watch`: look at repositories and deliver alerts; and the threads that do so in `aim up` and `aim server`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import repo_option
from aim.cli.runs import open_repository
from aim.core.errors import AimError, UsageError
from aim.core.words import counted
from aim.engine.alerting.channels import AlertChannels
from aim.engine.alerting.watcher import EVERY_S, AlertWatcher, WatchThread
from aim.engine.door import Door


def watcher_of(door: Door) -> AlertWatcher:
    """Return what watches a repository; of a folder also what `engine.alerts` finds there."""
    from aim.engine.alerting.findings import finder
    from aim.engine.repository import Repository

    return AlertWatcher(door, found_alerts=finder(door) if isinstance(door, Repository) else None)


@click.command(short_help="Watch runs, and deliver alerts.")
@repo_option
@click.option("--every", "every_s", type=click.FloatRange(0.1), default=EVERY_S, show_default=True, help="Seconds.")
@click.option("--once", is_flag=True, help="Look once, deliver what is due, and end.")
def watch(repo: Path | None, every_s: float, once: bool) -> None:
    """
    Watch the runs of a repository and deliver alerts by the channels of `aim alert channel`, until Ctrl-C.

    `aim up` and `aim server` do so too, while they run; each alert goes out once, however many watch.
    """
    watcher = watcher_of(open_repository(repo))
    channels = AlertChannels().all()
    if not channels:
        raise UsageError("There is no channel yet. `aim alert channel add NAME --webhook URL` adds one.")
    if once:
        output.tell(f"Delivered {counted(watcher.look(), 'message')}.")
        return
    output.tell(f"Watching; alerts go to {', '.join(channel.name for channel in channels)}. Ctrl-C ends it.")
    thread = WatchThread(watcher, every_s, output.tell)
    with contextlib.suppress(KeyboardInterrupt):
        thread.run()
    watcher.file.unlock()


@contextlib.contextmanager
def watching(roots: Sequence[Path]) -> Iterator[None]:
    """Watch the repositories in folders as long as the body runs, if this user has channels."""
    threads: list[WatchThread] = []
    try:
        if AlertChannels().all():
            from aim.engine.repository import Repository

            threads = [WatchThread(watcher_of(Repository(root)), EVERY_S, output.tell) for root in roots]
    except (AimError, OSError) as error:
        output.tell(f"Alerts are not delivered: {error}")
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.stop()
