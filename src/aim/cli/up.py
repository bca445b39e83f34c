"""
`aim up`: serve the web UI.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.admission import guarded
from aim.cli.main import FOLDER_ADDRESS
from aim.convert.exporting.export import write_runs
from aim.core.errors import RepoNotFound, UsageError
from aim.engine.opening import check_not_old, current_root, find_repository, repository_exists
from aim.engine.repository import Repository
from aim.server.settings import (
    HOST_DEFAULT,
    INSECURE_READ,
    INSECURE_WRITE,
    LOG_LEVEL_DEFAULT,
    LOG_LEVELS,
    PORT_DEFAULT,
    Settings,
    auth_folder,
    clean_base_path,
)

REPO_DEPTH_MAX = 2  # levels of folders below --repo that are searched for repositories


AnyFunction = Callable[..., None]
FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


def _aim3_options(command: AnyFunction) -> AnyFunction:
    """Add the options of Aim 3 that do nothing here, so that scripts go on. Each prints a note when it is used."""
    for names, kind, help_text in (
        (("-w", "--workers"), click.IntRange(1), "Ignored: one process with threads serves all requests."),
        (("--tf_logs",), click.Path(), "Ignored, as in Aim 3."),
        (("--profiler",), None, "Ignored: profile the server with `py-spy`."),
    ):
        extra: dict[str, Any] = {"is_flag": True} if kind is None else {"type": kind, "default": None}
        command = click.option(*names, expose_value=False, callback=_say_unused, help=help_text, **extra)(command)
    return command


def _say_unused(context: click.Context, option: click.Parameter, value: object) -> None:
    notes = {
        "workers": "one process with threads serves all requests.",
        "tf_logs": "it does nothing, as in Aim 3.",
        "profiler": "profile the server with `py-spy top --pid ...`.",
    }
    if value not in (None, False):
        output.tell(f"Note: {option.opts[-1]} is accepted for scripts of Aim 3: {notes[option.name or '']}")


@click.command(short_help="Start the web UI: compare runs, metrics and images.")
@click.option("-h", "--host", default=HOST_DEFAULT, show_default=True, help="The address to listen on.")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT_DEFAULT,
    show_default=True,
    help="0: any free port.",
)
@click.option(
    "--uds",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Listen on this Unix socket instead of a port, for a proxy on this machine.",
)
@click.option(
    "--repo",
    "repos",
    type=FOLDER_ADDRESS,
    multiple=True,
    help="The folder that contains .aim, or a folder of such folders; may be repeated.  "
    "[default: the current folder, or the nearest above it]",
)
@click.option("--read-only", is_flag=True, help="Allow no changes in the UI.")
@click.option("--base-path", default="", metavar="PATH", help="The path under which a reverse proxy serves the UI.")
@click.option(
    "--token",
    default=None,
    envvar="AIM_UI_TOKEN",
    help="Require this token to log in.  [env: AIM_UI_TOKEN; default: a new one when other machines can reach --host]",
)
@click.option(
    "--insecure",
    is_flag=False,
    flag_value=INSECURE_READ,
    default=None,
    type=click.Choice((INSECURE_READ, INSECURE_WRITE)),
    help="Let everybody who can reach --host read without a token; --insecure=write: and change.",
)
@click.option(
    "--trusted-host",
    "trusted",
    multiple=True,
    metavar="NAME",
    help="A host name to accept; may be repeated.",
)
@click.option("--ssl-certfile", "certificate", type=FILE, help="Serve HTTPS with this TLS certificate (PEM).")
@click.option("--ssl-keyfile", "key", type=FILE, help="The key of the certificate, if it has its own file (PEM).")
@click.option(
    "--log-level",
    type=click.Choice(LOG_LEVELS, case_sensitive=False),
    default=LOG_LEVEL_DEFAULT,
    show_default=True,
    help="How much to log; info: a line for each request.",
)
@click.option("-y", "--yes", is_flag=True, help="Create the repository if there is none.")
@click.option("--open/--no-open", "opens", default=None, help="Open the UI in a browser.  [default: on a desktop]")
@click.option("--dev", "reload_pages", is_flag=True, help="Reload open pages after each build of the UI.")
@click.option("--reload-ui", "reload_pages", is_flag=True, hidden=True)
@_aim3_options
def up(
    repos: tuple[Path, ...],
    yes: bool,
    opens: bool | None,
    base_path: str,
    token: str | None,
    insecure: str | None,
    **options: Any,
) -> None:
    """
    Start the web UI, a dashboard to compare runs, metrics, images and more in a browser.

    Example: the runs of two projects, for browsers on this machine

        aim up --repo ~/project-a --repo ~/project-b
    """
    if options["key"] is not None and options["certificate"] is None:
        raise UsageError("--ssl-keyfile needs --ssl-certfile.")
    if token and insecure:
        raise UsageError("--insecure and --token exclude each other.")
    roots = find_roots(repos, yes)
    # imported here: no other command pays for the web server
    from aim.server.serve import ANY_HOST, on_host, serve

    options["trusted_hosts"] = options.pop("trusted")
    options["writers"] = dict.fromkeys(("html", "zip"), write_runs)
    settings = Settings(
        roots,
        base_path=clean_base_path(base_path),
        token=token or None,
        auth=auth_folder(None, roots),
        insecure=insecure,
        **options,
    )
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = guarded(settings)

    def ready(address: str) -> None:
        roots_text = ", ".join(str(root) for root in roots[:3]) + (
            f" and {len(roots) - 3} more" if len(roots) > 3 else ""
        )
        output.tell(f"Running Aim UI on {roots_text}")
        if settings.uds is not None:
            output.tell(f"Listening on {address}")
            return
        suffix = f"?token={settings.token}" if settings.token else ""
        full = address + suffix
        if settings.host in ANY_HOST:
            output.tell(f"On other machines: {on_host(address, socket.gethostname())}{suffix}")
        output.tell(f"Open {full}")
        if opens or (opens is None and has_desktop()):
            click.launch(full)

    serve(settings, ready, _Bars().show)


class _Bars:
    """Progress bars of large repositories that are read for the first time."""

    def __init__(self) -> None:
        self._bars: dict[str, output.Progress] = {}

    def show(self, repo_id: str, done: int, total: int) -> None:
        """Show the bar of one repository."""
        bar = self._bars.setdefault(repo_id, output.Progress(f"Indexing the runs of {repo_id}:", total))
        bar.show(done, total)
        if done >= total:
            bar.end()
            del self._bars[repo_id]


def find_roots(repos: tuple[Path, ...], create: bool) -> tuple[Path, ...]:
    """
    Return the folders of the repositories that *repos* name, or that are below them.

    Raises:
        RepoNotFound: there is none, and *create* is False.
        OldRepository: there is one of Aim 3.
    """
    if not repos:
        nearest = find_repository(Path.cwd())
        if nearest is None:
            return (_created(Path.cwd(), create),)
        root = current_root(nearest, warn=output.tell)
        check_not_old(root)
        return (root,)
    found_roots: list[Path] = []
    for named in repos:
        path = Path(os.path.expanduser(named))
        if path.name == ".aim" and repository_exists(path.parent):
            path = path.parent
        path = current_root(path, warn=output.tell)
        if repository_exists(path):
            found_roots.append(path)
            continue
        check_not_old(path)
        below = repositories_below(path, REPO_DEPTH_MAX)
        found_roots += below or [_created(path, create)]
    return tuple(dict.fromkeys(found_roots))


def _created(path: Path, create: bool) -> Path:
    if not create:
        raise RepoNotFound(
            f"There is no repository in {path} or in the folders below it. Name one with --repo, or create one with "
            "`aim init` or `aim up -y`."
        )
    Repository(path, create=True)
    output.tell(f"Initialized a new Aim repository at {path.resolve()}")
    return path


def repositories_below(path: Path, depth: int) -> list[Path]:
    """Return the folders at most *depth* levels below *path* that contain a repository, sorted."""
    try:
        folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    roots: list[Path] = []
    for folder in folders:
        if repository_exists(folder):
            roots.append(folder)
        elif depth > 1:
            roots += repositories_below(folder, depth - 1)
    return roots


def has_desktop() -> bool:
    """Return whether a browser can open: on a terminal of a desktop, not of a remote shell."""
    import sys

    if not sys.stderr.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
