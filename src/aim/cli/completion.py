"""
`aim completion`: words of commands, options and hashes of runs completed by the Tab key.

    install    writes the script of the shell; bash and zsh get a line in their start file that reads it
    remove     takes both away again
    show       prints the script, for another place

The script asks `aim` itself, so it knows each command of the installed version.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import click
from click.shell_completion import get_completion_class

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import AimGroup
from aim.core.errors import UsageError

SHELLS = ("bash", "zsh", "fish")
MARK = "# completion of aim"


class ShellFiles(NamedTuple):
    """Where the script of a shell lies, and the file that reads it when the shell starts; None: by its place alone."""

    script: Path
    start: Path | None


def files_of(shell: str) -> ShellFiles:
    """Return the files of one of `SHELLS`."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    if shell == "fish":
        return ShellFiles(config / "fish" / "completions" / "aim.fish", None)
    folder = Path(os.environ.get("ZDOTDIR") or Path.home()) if shell == "zsh" else Path.home()
    return ShellFiles(config / "aim" / f"completion.{shell}", folder / f".{shell}rc")


def script_of(shell: str) -> str:
    """Return the script of one of `SHELLS`."""
    from aim.cli.main import aim

    completion_class = get_completion_class(shell)
    assert completion_class is not None
    return completion_class(aim, {}, "aim", "_AIM_COMPLETE").source()


def _line(files: ShellFiles) -> str:
    return f"[ -r '{files.script}' ] && . '{files.script}' {MARK}\n"


def _chosen(shell: str | None) -> str:
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise UsageError(f"Say which shell with --shell {'|'.join(SHELLS)}: SHELL is {name!r}.")
    return name


shell_option = click.option("--shell", type=click.Choice(SHELLS), help="[default: what SHELL names]")


@click.group(cls=AimGroup, short_help="Complete commands and options by the Tab key.")
def completion() -> None:
    """Complete commands, options and hashes of runs by the Tab key, in bash, zsh and fish."""


@completion.command()
@shell_option
@json_option
def install(shell: str | None, as_json: bool) -> None:
    """Write the script of the shell, and let the shell read it when it starts. May be repeated."""
    name = _chosen(shell)
    files = files_of(name)
    files.script.parent.mkdir(parents=True, exist_ok=True)
    files.script.write_text(script_of(name), encoding="utf-8")
    if files.start is not None:
        text = files.start.read_text(encoding="utf-8") if files.start.exists() else ""
        if MARK not in text:
            gap = "" if not text or text.endswith("\n") else "\n"
            files.start.write_text(f"{text}{gap}{_line(files)}", encoding="utf-8")
    message = f"Wrote {files.script}. A new {name} completes `aim` by Tab."
    output.result({"shell": name, "outcome": "installed", "file": str(files.script)}, message, as_json=as_json)


@completion.command()
@shell_option
@json_option
def remove(shell: str | None, as_json: bool) -> None:
    """Take away what `install` wrote."""
    name = _chosen(shell)
    files = files_of(name)
    files.script.unlink(missing_ok=True)
    if files.start is not None and files.start.exists():
        lines = files.start.read_text(encoding="utf-8").splitlines(keepends=True)
        files.start.write_text("".join(line for line in lines if MARK not in line), encoding="utf-8")
    record = {"shell": name, "outcome": "removed", "file": str(files.script)}
    output.result(record, f"Removed {files.script}.", as_json=as_json)


@completion.command()
@shell_option
@json_option
def show(shell: str | None, as_json: bool) -> None:
    """Print the script of the shell."""
    name = _chosen(shell)
    script = script_of(name)
    output.say(output.json_line({"shell": name, "script": script}) if as_json else script)
