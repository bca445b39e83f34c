"""
`aim up`: serve the pages.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from aim.cli import output
from aim.core.errors import RepoNotFound
from aim.engine.repository import Repository

PORT_DEFAULT = 43_800
REPO_DEPTH_MAX = 2  # how far below a parent folder repositories are looked for


@click.command()
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65_535), default=PORT_DEFAULT, show_default=True, help="0: a free one."
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
@click.option("-y", "--yes", is_flag=True, help="Make the repository if it is not there.")
@click.option("--open/--no-open", "opens", default=None, help="Open the pages in a browser.  [default: on a desktop]")
@click.option("--reload-ui", is_flag=True, hidden=True)
def up(
    host: str,
    port: int,
    repos: tuple[Path, ...],
    read_only: bool,
    base_path: str,
    token: str | None,
    trusted: tuple[str, ...],
    yes: bool,
    opens: bool | None,
    reload_ui: bool,
) -> None:
    """
    Serve the pages: runs, curves, images and all else, in a browser.

    Example: look at the runs of two projects, from this machine only.

        aim up --repo ~/project-a --repo ~/project-b
    """
    roots = find_roots(repos, yes)
    # imported now: no other command pays for the web server
    from aim.server.serve import serve
    from aim.server.settings import Settings, clean_base_path

    settings = Settings(roots, host, port, read_only, clean_base_path(base_path), token or None, trusted, reload_ui)
    if not settings.is_local and token is None:
        output.tell(
            f"Warning: everybody who can reach {host} can read these runs"
            f"{'' if read_only else ' and change them'}. Give --token to ask for a token."
        )

    def ready(address: str) -> None:
        shown = ", ".join(str(root) for root in roots[:3]) + (f" and {len(roots) - 3} more" if len(roots) > 3 else "")
        output.tell(f"Running Aim UI on {shown}")
        output.tell(f"Open {address}{f'?token={token}' if token else ''}")
        if opens or (opens is None and has_desktop()):
            click.launch(f"{address}{f'?token={token}' if token else ''}")

    serve(settings, ready)


def find_roots(repos: tuple[Path, ...], make: bool) -> tuple[Path, ...]:
    """
    Give the folders that hold the repositories that were named, or those below them.

    Raises:
        RepoNotFound: there is none, and *make* is not asked for.
    """
    if not repos:
        nearest = Repository.find_root(Path.cwd())
        return (nearest,) if nearest is not None else (_made(Path.cwd(), make),)
    found: list[Path] = []
    for named in repos:
        path = Path(os.path.expanduser(named))
        if path.name == ".aim" and Repository.exists(path.parent):
            path = path.parent
        if Repository.exists(path):
            found.append(path)
            continue
        below = repositories_below(path, REPO_DEPTH_MAX)
        found += below or [_made(path, make)]
    return tuple(dict.fromkeys(found))


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
    found: list[Path] = []
    for folder in folders:
        if Repository.exists(folder):
            found.append(folder)
        elif depth > 1:
            found += repositories_below(folder, depth - 1)
    return found


def has_desktop() -> bool:
    """Say whether a browser could open here: a person at a terminal of a desktop, not a remote shell."""
    import sys

    if not sys.stderr.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
