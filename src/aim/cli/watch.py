"""
`aim watch`: look at a repository and deliver alerts, in a process of its own.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from aim.cli import output
from aim.cli.main import repo_option
from aim.cli.runs import open_repository
from aim.core.errors import UsageError
from aim.core.words import counted
from aim.engine.alerting.channels import AlertChannels
from aim.engine.alerting.state import watched_address
from aim.engine.alerting.watcher import EVERY_S


@click.command(short_help="Watch runs, and deliver alerts.")
@repo_option
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(0.1),
    default=EVERY_S,
    show_default=True,
    help="Seconds.",
    envvar="AIM_WATCH_EVERY",
)
@click.option("--once", is_flag=True, help="Look once, deliver what is due, and end.")
def watch(repo: Path | None, every_s: float, once: bool) -> None:
    """
    Watch the runs of a repository and deliver alerts by the channels of `aim alert channel`, until Ctrl-C.

    `aim up` and `aim server` do so too, while they run; each alert goes out once, however many watch.
    """
    from aim.engine.alerting.watching import WatchThread, watcher_of

    door = open_repository(repo)
    watcher = watcher_of(door)
    channels = AlertChannels().of(watched_address(door.address))
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
