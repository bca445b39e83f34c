"""
`aim server`: serve repositories to trainings and people on other machines.
"""

from __future__ import annotations

from typing import Any

import click

from aim.cli import output
from aim.cli.serving import aim3_options, serving_options, settings_of, start

SERVER_PORT = 53_800  # as in Aim 3


@click.command(short_help="Serve repositories to trainings on other machines, and the UI.")
@serving_options(SERVER_PORT)
@click.option("--pages/--no-pages", "has_pages", default=True, show_default=True, help="Serve the UI, too.")
@click.option("--dev", "reload_pages", is_flag=True, hidden=True)
@aim3_options
def server(**options: Any) -> None:
    """
    Serve repositories: trainings record into them with `Run(repo="aim://host:53800/project")`, and people open the same
    address in a browser.

    Other machines reach it with --host 0.0.0.0. It then asks for a token, and makes one when there is none.

    Example: a server for a team, with a project for each folder in /data/aim

        aim server --host 0.0.0.0 --root /data/aim
    """
    settings = settings_of(**options)

    def ready(address: str) -> None:
        output.tell(f"Open {address}" if settings.has_pages else f"Listening on {address}")

    start(settings, "the Aim server", ready)
