"""
What `aim up` and `aim server` have in common: their options, which repositories they serve, and the start.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.admission import guarded
from aim.cli.main import FOLDER_ADDRESS
from aim.cli.people import PEOPLE_OPTIONS, Option, people_of
from aim.convert.exporting.export import write_runs
from aim.core.addresses import folder_of_address
from aim.core.errors import RepoNotFound, UsageError
from aim.engine.alerting.watcher import EVERY_S
from aim.engine.opening import (
    REPO_VARIABLE,
    check_not_old,
    current_root,
    default_address,
    find_repository,
    repository_exists,
)
from aim.engine.repository import Repository
from aim.server.settings import (
    HOST_DEFAULT,
    INSECURE_READ,
    INSECURE_WRITE,
    LOG_LEVEL_DEFAULT,
    LOG_LEVELS,
    MEMORY_DEFAULT,
    Settings,
    auth_folder,
    clean_base_path,
)
from aim.storage.cluster.settings import read_settings

REPO_DEPTH_MAX = 2  # levels of folders below --repo that are searched for repositories
SIZE = re.compile(r"([1-9][0-9]{0,8})([KMGT]?)", re.IGNORECASE)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

AnyFunction = Callable[..., None]
FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


def aim3_options(command: AnyFunction) -> AnyFunction:
    """Add the options of Aim 3 that do nothing here, so that scripts go on. Each prints a note when it is used."""
    for names, kind, help_text in (
        (("--tf_logs",), click.Path(), "Ignored, as in Aim 3."),
        (("--profiler",), None, "Ignored: profile the server with `py-spy`."),
    ):
        extra: dict[str, Any] = {"is_flag": True} if kind is None else {"type": kind, "default": None}
        command = click.option(*names, expose_value=False, callback=_say_unused, help=help_text, **extra)(command)
    return command


def _say_unused(context: click.Context, option: click.Parameter, value: object) -> None:
    notes = {
        "tf_logs": "it does nothing, as in Aim 3.",
        "profiler": "profile the server with `py-spy top --pid ...`.",
    }
    if value not in (None, False):
        output.tell(f"Note: {option.opts[-1]} is accepted for scripts of Aim 3: {notes[option.name or '']}")


OPTIONS: tuple[Option, ...] = (
    click.option("-h", "--host", default=HOST_DEFAULT, show_default=True, help="The address to listen on."),
    click.option(
        "--uds",
        type=click.Path(dir_okay=False, path_type=Path),
        default=None,
        help="Listen on this Unix socket instead of a port, for a proxy on this machine.",
    ),
    click.option(
        "--repo",
        "repos",
        type=FOLDER_ADDRESS,
        multiple=True,
        help="The folder that contains .aim, or a folder of such folders; may be repeated.  "
        "[default: the current folder, or the nearest above it]",
    ),
    click.option(
        "--root",
        type=click.Path(file_okay=False, path_type=Path),
        default=None,
        help="Serve each repository in this folder as a project, also those that are made later.",
    ),
    click.option(
        "--cluster",
        type=FILE,
        default=None,
        help="Serve the projects of the cluster that this file describes: docs/guide/cluster.md.",
    ),
    click.option(
        "--project-max",
        default=None,
        metavar="SIZE",
        help="Record nothing more into a project of --root that holds this much, as in 500G.  [default: no bound]",
    ),
    click.option("--read-only", is_flag=True, help="Allow no changes, and record nothing."),
    click.option(
        "--base-path", default="", metavar="PATH", help="The path under which a reverse proxy shows the server."
    ),
    click.option(
        "--token",
        default=None,
        envvar="AIM_UI_TOKEN",
        help="A token of an administrator.  [env: AIM_UI_TOKEN; default: a new one when other machines can reach "
        "--host and `aim token create` has made none]",
    ),
    click.option(
        "--insecure",
        is_flag=False,
        flag_value=INSECURE_READ,
        default=None,
        type=click.Choice((INSECURE_READ, INSECURE_WRITE)),
        help="Let everybody who can reach --host read without a token; --insecure=write: and change.",
    ),
    click.option(
        "--trusted-host", "trusted", multiple=True, metavar="NAME", help="A host name to accept; may be repeated."
    ),
    click.option("--ssl-certfile", "certificate", type=FILE, help="Serve HTTPS with this TLS certificate (PEM)."),
    click.option("--ssl-keyfile", "key", type=FILE, help="The key of the certificate, if it has a file (PEM)."),
    click.option(
        "--log-level",
        type=click.Choice(LOG_LEVELS, case_sensitive=False),
        default=LOG_LEVEL_DEFAULT,
        show_default=True,
        help="How much to log; info: a line for each request.",
    ),
    click.option(
        "--memory",
        default=MEMORY_DEFAULT,
        show_default=True,
        metavar="SIZE",
        help="Keep at most so much of points, curves and pictures in memory, so that they are not read again.",
    ),
    click.option(
        "-w",
        "--workers",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Answer with so many processes on one port: for many people who read at once.",
    ),
    click.option(
        "--access-log",
        default=None,
        metavar="FILE",
        help="Write a line of JSON for each request to this file, or to standard output (-).  [default: none]",
    ),
    click.option(
        "--watch-every",
        "watch_every_s",
        type=click.FloatRange(0.1),
        default=EVERY_S,
        show_default=True,
        envvar="AIM_WATCH_EVERY",
        metavar="SECONDS",
        help="Look so often for alerts to deliver.",
    ),
    click.option("-y", "--yes", is_flag=True, help="Create the repository if there is none."),
)
"""The options of a command that serves, but for the port."""


def serving_options(port: int) -> Option:
    """Return what adds the options of a command that serves, on *port* by default."""
    whole_port = click.IntRange(0, 65_535)
    of_port: Option = click.option(
        "-p", "--port", type=whole_port, default=port, show_default=True, help="0: any free port."
    )

    options = [OPTIONS[0], of_port, *OPTIONS[1:], *PEOPLE_OPTIONS]

    def add(command: AnyFunction) -> AnyFunction:
        for option in options[::-1]:
            command = option(command)
        return command

    return add


def settings_of(
    repos: tuple[Path, ...],
    root: Path | None,
    cluster: Path | None,
    yes: bool,
    project_max: str | None,
    memory: str,
    base_path: str,
    trusted: tuple[str, ...],
    **options: Any,
) -> Settings:
    """
    Return the settings that the options ask for; say who is let in.

    Raises:
        RepoNotFound: there is no repository, and *yes* is False.
        OldRepository: there is one of Aim 3.
        UsageError: options exclude each other.
    """
    _check_options(options, repos=repos, root=root, project_max=project_max)
    if cluster is not None and (repos or root is not None):
        raise UsageError("--cluster and --repo or --root exclude each other: the runs are in the cluster.")
    if root is not None:
        root.mkdir(parents=True, exist_ok=True)
    people = people_of(options)
    roots = find_roots(repos, yes) if root is None and cluster is None else ()
    options["token"] = options["token"] or None
    settings = Settings(
        roots,
        cluster=None if cluster is None else read_settings(cluster),
        project_root=root,
        project_bytes_max=None if project_max is None else size_bytes(project_max),
        memory_bytes=size_bytes(memory),
        base_path=clean_base_path(base_path),
        auth=auth_folder(root if cluster is None else cluster.absolute().parent, roots),
        trusted_hosts=trusted,
        people=people,
        writers=dict.fromkeys(("html", "zip"), write_runs),
        **options,
    )
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return guarded(settings)


def _check_options(
    options: Mapping[str, Any], *, repos: tuple[Path, ...], root: Path | None, project_max: str | None
) -> None:
    if options["key"] is not None and options["certificate"] is None:
        raise UsageError("--ssl-keyfile needs --ssl-certfile.")
    if options["token"] and options["insecure"]:
        raise UsageError("--insecure and --token exclude each other.")
    if root is not None and repos:
        raise UsageError("--root and --repo exclude each other: --root serves all repositories in a folder.")
    if project_max is not None and root is None:
        raise UsageError("--project-max needs --root.")


def size_bytes(text: str) -> int:
    """
    Return a size as a number of bytes.

    Raises:
        UsageError: it is no number with K, M, G, T or nothing.

    >>> size_bytes("500G"), size_bytes("1048576")
    (536870912000, 1048576)
    """
    match = SIZE.fullmatch(text)
    if match is None:
        raise UsageError(f"A size is a number of bytes, or of K, M, G or T, such as 500G; not {text!r}.")
    return int(match[1]) * UNITS[match[2].upper()]


def start(settings: Settings, title: str, on_ready: Callable[[str], None]) -> None:
    """
    Serve until a signal says to stop.

    Args:
        title: what runs, for people: `Aim UI`.
        on_ready: is called with the address, and a token in it if there is one, as soon as connections are accepted.
    """
    # imported here: no other command pays for the web server
    from aim.engine.alerting.watching import FoldersWatch
    from aim.server.serve import ANY_HOST, on_host, serve

    def ready(address: str) -> None:
        watch.start()  # not before: threads would be there while reading processes are forked
        output.tell(f"Running {title} on {_served(settings)}")
        if settings.uds is not None:
            output.tell(f"Listening on {address}")
            return
        suffix = f"?token={settings.token}" if settings.token else ""
        if settings.host in ANY_HOST:
            output.tell(f"On other machines: {on_host(address, socket.gethostname())}{suffix}")
        on_ready(address + suffix)

    watch = FoldersWatch(lambda: _served_roots(settings), settings.watch_every_s, output.tell)
    try:
        serve(settings, ready, _Bars().show)
    finally:
        watch.stop()


def _served_roots(settings: Settings) -> Sequence[Path]:
    return settings.roots if settings.project_root is None else repositories_below(settings.project_root, 1)


def _served(settings: Settings) -> str:
    if settings.cluster is not None:
        return f"the projects of the cluster at {settings.cluster.addresses[0]}"
    if settings.project_root is not None:
        return f"the projects in {settings.project_root}"
    roots = settings.roots
    return ", ".join(map(str, roots[:3])) + (f" and {len(roots) - 3} more" if len(roots) > 3 else "")


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
    if not repos and os.environ.get(REPO_VARIABLE):
        repos = (folder_of_address(default_address()),)
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
