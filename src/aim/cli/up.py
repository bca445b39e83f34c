"""
`aim up`: serve the web UI.
"""

from __future__ import annotations

import os
from typing import Any

import click

from aim.cli import output
from aim.cli.serving import aim3_options, serving_options, settings_of, start
from aim.server.settings import PORT_DEFAULT


@click.command(short_help="Start the web UI: compare runs, metrics and images.")
@serving_options(PORT_DEFAULT)
@click.option("--open/--no-open", "opens", default=None, help="Open the UI in a browser.  [default: on a desktop]")
@click.option("--dev", "reload_pages", is_flag=True, help="Reload open pages after each build of the UI.")
@click.option("--reload-ui", "reload_pages", is_flag=True, hidden=True)
@aim3_options
def up(opens: bool | None, **options: Any) -> None:
    """
    Start the web UI, a dashboard to compare runs, metrics, images and more in a browser.

    Example: the runs of two projects, for browsers on this machine

        aim up --repo ~/project-a --repo ~/project-b
    """
    settings = settings_of(**options)

    def ready(address: str) -> None:
        output.tell(f"Open {address}")
        if opens or (opens is None and has_desktop()):
            click.launch(address)

    start(settings, "Aim UI", ready)


def has_desktop() -> bool:
    """Return whether a browser can open: on a terminal of a desktop, not of a remote shell."""
    import sys

    if not sys.stderr.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
