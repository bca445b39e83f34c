"""
`aim`: the group of all commands, and how errors are shown: one message without a stack trace, exit code 2 for a wrong
call, 1 for any other error.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from aim.__about__ import VERSION
from aim.cli import output
from aim.core.addresses import folder_of_address, is_server, server_address
from aim.core.errors import AimError, OldRepository, UsageError

DEBUG_VARIABLE = "AIM_DEBUG"


class AimGroup(click.Group):
    """A group of commands; a command is imported when it is called."""

    def __init__(self, *args: Any, lazy: dict[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, sorted."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and return it."""
        import_path = self._lazy.get(cmd_name)
        if import_path is None:
            return super().get_command(ctx, cmd_name)
        from importlib import import_module

        module, name = import_path.split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one gets a suggestion."""
        import difflib

        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            if ctx.parent is None and args[0] in ABSENT:
                ctx.fail(f"Aim 4 has no command '{args[0]}'. {ABSENT[args[0]]}")
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


ABSENT = {
    "reindex": "Nothing has to be indexed by hand; `aim storage reindex` reads all runs again.",
    "telemetry": "It sends nothing about its users, so there is nothing to switch off.",
    "watcher": "Alerts of the pages (`aim up`) tell when a run fails, stops or does not improve.",
    "dashboard": "The pages are `aim up`.",
    "ui": "The pages are `aim up`.",
    "track": "Runs are recorded from Python: `from aim import Run`.",
}
"""Commands of Aim 3 and of other trackers that are not here, and what there is instead."""

COMMANDS = {
    "init": "aim.cli.init:init",
    "version": "aim.cli.init:version",
    "runs": "aim.cli.runs:runs",
    "storage": "aim.cli.storage:storage",
    "tags": "aim.cli.tags:tags",
    "demo": "aim.cli.demo:demo",
    "fsck": "aim.cli.check:fsck",
    "repair": "aim.cli.check:repair",
    "up": "aim.cli.up:up",
    "server": "aim.cli.server:server",
    "token": "aim.cli.token:token",
    "login": "aim.cli.login:login",
    "logout": "aim.cli.login:logout",
    "metrics": "aim.cli.query:metrics",
    "query": "aim.cli.query:count_matches",
    "export": "aim.cli.export:export_runs",
    "sync": "aim.cli.sync:sync",
    "import": "aim.cli.importing:import_runs",
    "convert": "aim.cli.convert:convert",
    "completion": "aim.cli.completion:completion",
    "ls": "aim.cli.tables:ls",
    "top": "aim.cli.tables:top",
    "plot": "aim.cli.plot:plot_metric",
    "logs": "aim.cli.logs:logs",
    "diff": "aim.cli.diff:diff",
    "best": "aim.cli.best:best",
    "digest": "aim.cli.digest:sum_up",
    "alert": "aim.cli.alert:alert",
    "watch": "aim.cli.watch:watch",
    "mcp": "aim.cli.mcp:serve_tools",
    "cluster": "aim.cli.cluster:cluster",
}


@click.group(cls=AimGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(str(VERSION), prog_name="Aim", message="%(prog)s v%(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Show the log.")
def aim(verbose: bool) -> None:
    """Aim: an experiment tracker. Record training runs, query thousands of them, compare them in a browser."""
    if verbose:
        import logging

        logging.basicConfig(level=logging.DEBUG)


def _unexpected(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    # a bug in Aim: one line, or with AIM_DEBUG the trace
    if os.environ.get(DEBUG_VARIABLE):
        sys.__excepthook__(kind, value, trace)
    else:
        output.tell(
            f"This is a bug in Aim: {kind.__name__}: {value}. Please report it; {DEBUG_VARIABLE}=1 shows the trace."
        )


def main() -> None:
    """Run the command line."""
    sys.excepthook = _unexpected
    for stream in (sys.stdout, sys.stderr):  # a name may contain characters that the terminal can't show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = aim.main(standalone_mode=False)
        if isinstance(code, int) and code:
            sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        output.tell("Aborted.")
        sys.exit(1)
    except (UsageError, OldRepository) as error:
        output.tell(str(error))
        sys.exit(2)
    except BrokenPipeError:
        # the reader of the pipe has closed it: write nothing more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (AimError, OSError) as error:  # a disk that is full or can't be written is not a bug
        output.tell(str(error))
        sys.exit(1)


class FolderAddress(click.Path):
    """The folder of a repository: a path, or a `file://` address."""

    name = "folder"

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder, as a `Path`; an address that names none is a wrong call."""
        try:
            return super().convert(str(folder_of_address(value)), param, ctx)
        except UsageError as error:
            self.fail(str(error), param, ctx)


class RepositoryAddress(FolderAddress):
    """A repository: a folder, or the address of a server, which is a str then."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder, as a `Path`, or the address of a server; any other address is a wrong call."""
        if not is_server(value):
            return super().convert(value, param, ctx)
        try:
            return str(server_address(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


FOLDER_ADDRESS, REPOSITORY_ADDRESS = FolderAddress(), RepositoryAddress()


def _own_or_group_repo(ctx: click.Context, _: click.Parameter, value: Path | str | None) -> Path | str | None:
    group_repo = ctx.parent.params.get("repo") if ctx.parent is not None else None
    return group_repo if value is None else value


def repo_option(command: Any) -> Any:
    """Add `--repo` to a command, or to a group for all its commands: `aim runs --repo there ls`, as in Aim 3."""
    return click.option(
        "--repo",
        type=REPOSITORY_ADDRESS,
        default=None,
        callback=_own_or_group_repo,
        help="The folder that contains .aim, or the address of a server, such as aim://host:53800/project.  "
        "[default: $AIM_REPO, else the current folder, or the nearest above it]",
    )(command)
