"""
`aim up`: serve the pages.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.core.errors import RepoNotFound, UsageError
from aim.engine.repository import Repository

PORT_DEFAULT = 43_800
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
REPO_DEPTH_MAX = 2  # how far below a parent folder repositories are looked for


AnyFunction = Callable[..., None]
FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


def _aim3_options(command: AnyFunction) -> AnyFunction:
    """Add the options of Aim 3 that have nothing to say here, so that scripts go on; each says so when it is used."""
    for names, kind, help_text in (
        (("-w", "--workers"), click.IntRange(1), "As in Aim 3; one process with threads serves them all."),
        (("--tf_logs",), click.Path(), "As in Aim 3, where it does nothing."),
        (("--profiler",), None, "As in Aim 3; `py-spy` shows what a running server does."),
    ):
        extra: dict[str, Any] = {"is_flag": True} if kind is None else {"type": kind, "default": None}
        command = click.option(*names, expose_value=False, callback=_say_unused, help=help_text, **extra)(command)
    return command


def _say_unused(context: click.Context, option: click.Parameter, value: object) -> None:
    notes = {
        "workers": "one process with threads serves all; it needs no workers.",
        "tf_logs": "it does nothing, as in Aim 3.",
        "profiler": "there is no profiler inside; `py-spy top --pid ...` shows what the server does.",
    }
    if value not in (None, False):
        output.tell(f"Note: {option.opts[-1]} is accepted for scripts of Aim 3: {notes[option.name or '']}")


@click.command()
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65_535), default=PORT_DEFAULT, show_default=True, help="0: a free one."
)
@click.option(
    "--uds",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Listen on this Unix socket instead, for a proxy of this machine.",
)
@click.option(
    "--repo",
    "repos",
    type=click.Path(file_okay=False, path_type=Path),
    multiple=True,
    help="The folder that holds .aim, or a folder of such folders; may be repeated.  "
    "[default: the nearest one upward from the current folder]",
)
@click.option("--read-only", is_flag=True, help="Let nobody change anything.")
@click.option("--base-path", default="", metavar="PATH", help="The path under which a proxy shows the pages.")
@click.option("--token", default=None, envvar="AIM_UI_TOKEN", help="Ask for this token.  [env: AIM_UI_TOKEN]")
@click.option(
    "--trusted-host", "trusted", multiple=True, metavar="NAME", help="A name that browsers may reach the server by."
)
@click.option("--ssl-certfile", "certificate", type=FILE, help="Serve https with this certificate (PEM).")
@click.option("--ssl-keyfile", "key", type=FILE, help="Its key, if that is in a file of its own (PEM).")
@click.option(
    "--log-level",
    type=click.Choice(LOG_LEVELS, case_sensitive=False),
    default="warning",
    show_default=True,
    help="info: a line for each request.",
)
@click.option("-y", "--yes", is_flag=True, help="Make the repository if it is not there.")
@click.option("--open/--no-open", "opens", default=None, help="Open the pages in a browser.  [default: on a desktop]")
@click.option("--dev", "reload_pages", is_flag=True, help="Load open pages again when they were built anew.")
@click.option("--reload-ui", "reload_pages", is_flag=True, hidden=True)
@_aim3_options
def up(
    repos: tuple[Path, ...], yes: bool, opens: bool | None, base_path: str, token: str | None, **options: Any
) -> None:
    """
    Serve the pages: runs, curves, images and all else, in a browser.

    Example: look at the runs of two projects, from this machine only.

        aim up --repo ~/project-a --repo ~/project-b
    """
    if options["key"] is not None and options["certificate"] is None:
        raise UsageError("--ssl-keyfile needs --ssl-certfile: the certificate of that key.")
    roots = find_roots(repos, yes)
    # imported now: no other command pays for the web server
    from aim.server.serve import serve
    from aim.server.settings import Settings, clean_base_path

    options["trusted_hosts"] = options.pop("trusted")
    settings = Settings(roots, base_path=clean_base_path(base_path), token=token or None, **options)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if not settings.is_local and token is None:
        output.tell(
            f"Warning: everybody who can reach {settings.host} can read these runs"
            f"{'' if settings.read_only else ' and change them'}. Give --token to ask for a token."
        )

    def ready(address: str) -> None:
        roots_text = ", ".join(str(root) for root in roots[:3]) + (
            f" and {len(roots) - 3} more" if len(roots) > 3 else ""
        )
        output.tell(f"Running Aim UI on {roots_text}")
        full = f"{address}?token={token}" if token and settings.uds is None else address
        output.tell(f"Open {full}" if settings.uds is None else f"Listening on {full}")
        if settings.uds is None and (opens or (opens is None and has_desktop())):
            click.launch(full)

    serve(settings, ready, _Bars().show)


class _Bars:
    """How far the first reading of each large repository is, on a terminal."""

    def __init__(self) -> None:
        self._bars: dict[str, output.Progress] = {}

    def show(self, repo_id: str, done: int, total: int) -> None:
        """Show one of them."""
        bar = self._bars.setdefault(repo_id, output.Progress(f"Indexing the runs of {repo_id}:", total))
        bar.show(done, total)
        if done >= total:
            bar.end()
            del self._bars[repo_id]


def find_roots(repos: tuple[Path, ...], make: bool) -> tuple[Path, ...]:
    """
    Return the folders that hold the repositories that were named, or those below them.

    Raises:
        RepoNotFound: there is none, and *make* is not asked for.
    """
    if not repos:
        nearest = Repository.find_root(Path.cwd())
        return (nearest,) if nearest is not None else (_made(Path.cwd(), make),)
    found_roots: list[Path] = []
    for named in repos:
        path = Path(os.path.expanduser(named))
        if path.name == ".aim" and Repository.exists(path.parent):
            path = path.parent
        if Repository.exists(path):
            found_roots.append(path)
            continue
        below = repositories_below(path, REPO_DEPTH_MAX)
        found_roots += below or [_made(path, make)]
    return tuple(dict.fromkeys(found_roots))


def _made(path: Path, make: bool) -> Path:
    if not make:
        raise RepoNotFound(
            f"There is no repository in {path}, nor in the folders below. Name one with --repo, or make it with "
            "`aim init` or `aim up -y`."
        )
    Repository(path, create=True)
    output.tell(f"Initialized a new Aim repository at {path.resolve()}")
    return path


def repositories_below(path: Path, depth: int) -> list[Path]:
    """List the folders below *path*, at most *depth* deep, that hold a repository, by name."""
    try:
        folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    roots: list[Path] = []
    for folder in folders:
        if Repository.exists(folder):
            roots.append(folder)
        elif depth > 1:
            roots += repositories_below(folder, depth - 1)
    return roots


def has_desktop() -> bool:
    """Return whether a browser could open here: a person at a terminal of a desktop, not a remote shell."""
    import sys

    if not sys.stderr.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
