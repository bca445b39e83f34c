"""
`aim import` and `aim convert`: bring the runs of other trackers.

Exit codes: 0 all came over, or only what is never imported did not; 3 something was lost to damage or refused; 2 a
wrong call; 1 nothing could be imported; 130 interrupted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import FOLDER_ADDRESS, REPOSITORY_ADDRESS, repo_option
from aim.convert import formats, names
from aim.convert.aim3 import upgrade
from aim.convert.detecting import recognised
from aim.convert.following import follow_changes
from aim.convert.formats import ImportOptions, Source, SourceRun
from aim.convert.importing import import_sources
from aim.convert.intake import SKIPPABLE
from aim.convert.report import UNCHANGED, Report, RunReport
from aim.convert.source_import import ImportProgress
from aim.core.addresses import folder_of_address, is_server
from aim.core.errors import UsageError
from aim.core.words import counted
from aim.engine.opening import current_root, default_address
from aim.storage.store import SIBLING

INTERRUPTED = 130


class SourceProgress(ImportProgress):
    """A bar by bytes on a terminal; with *as_json* a line for each run."""

    def __init__(self, *, as_json: bool, is_quiet: bool) -> None:
        self._as_json = as_json
        self._is_quiet = is_quiet
        self._bar: output.ByteBar | None = None
        self._sizes: list[int] = []
        self._done = self._points = 0
        self._begun_s = 0.0

    def begin(self, source: Source, runs: Sequence[SourceRun]) -> None:
        """Begin the bar of a source."""
        self.close()
        if self._is_quiet:
            return
        self._bar = output.ByteBar(source.importer.title, 0)
        if self._bar.is_visible:
            self._bar.close()
            self._sizes = [sum(map(_size, run.files)) for run in runs]
            self._bar = output.ByteBar(source.importer.title, sum(self._sizes))
        self._done = self._points = 0
        self._begun_s = time.monotonic()

    def read(self, size_bytes: int) -> None:
        """Move the bar on within a run."""
        if self._bar is not None and self._bar.is_visible and self._done < len(self._sizes):
            self._bar.add(size_bytes, most_bytes=self._sizes[self._done])

    def ended(self, source: Source, run: RunReport) -> None:
        """Move the bar to the end of a run."""
        if self._as_json:
            output.say(json.dumps({"event": "run", "format": source.format, **run.to_json()}))
        if self._bar is not None and self._bar.is_visible:
            self._points += run.counts.points + run.counts.system_points + run.counts.merged
            size_bytes = self._sizes[self._done] if self._done < len(self._sizes) else 0
            self._done += 1
            rate = self._points / max(time.monotonic() - self._begun_s, 1e-3)
            self._bar.end_of_file(size_bytes, f"{self._done:,}/{len(self._sizes):,} runs, {rate:,.0f} points/s")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _list_formats(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        for each in formats.all_importers():
            output.say(f"{each.name:<14} {each.title}: {each.looked_for}")
        ctx.exit()


def options_of(values: dict[str, Any]) -> ImportOptions:
    """Return the options of an import, from those of its command. Raises UsageError."""
    rules = values.pop("rules")
    skip = frozenset(name.strip() for name in (values.pop("skip") or "").split(",") if name.strip())
    if skip - SKIPPABLE:
        raise UsageError(
            f"--skip can't leave out {', '.join(sorted(skip - SKIPPABLE))}; it knows {_listed(SKIPPABLE)}."
        )
    since = values.pop("since")
    return ImportOptions(
        into=values.pop("into"),
        naming=values.pop("naming"),
        rules=() if rules is None else names.read_rules(rules),
        skip=skip,
        only=values.pop("only"),
        since_s=None if since is None else since.timestamp(),
        artifacts=values.pop("artifacts"),
        is_strict=values.pop("strict"),
        choices={key: value for key, value in values.items() if value not in (None, False, ())},
    )


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


def target_of(repo: Path | str | None) -> Path | str:
    """
    Return the folder of the repository, or its address on a server: *repo*, or that of `AIM_REPO`, or the nearest
    folder from the current one upward, or the current one.
    """
    address = repo or default_address()
    if is_server(address):
        return str(address)
    return current_root(folder_of_address(address), create=True, warn=output.tell)


class ReportOutput(NamedTuple):
    """
    Where a report goes.

    Attributes:
        path: of a file of JSON; None: none.
        as_json: lines of JSON on standard output.
        quiet: no text on standard output.
    """

    path: Path | None = None
    as_json: bool = False
    quiet: bool = False

    def write(self, report: Report) -> None:
        """Write the file."""
        if self.path is not None:
            self.path.write_text(json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def say(self, report: Report, taken_s: float) -> None:
        """Print the report."""
        if self.as_json:
            output.say(json.dumps({"event": "report", **report.to_json()}))
        elif not self.quiet:
            output.say(report.text())
            output.tell(f"{counted(len(report.runs), 'run')} in {taken_s:.1f} s.")


PRINTED = ReportOutput()


def run_import(
    sources: Sequence[Source],
    target: Path | str,
    options: ImportOptions,
    *,
    dry_run: bool = False,
    jobs: int = 1,
    to: ReportOutput = PRINTED,
) -> int:
    """Import *sources*, print the report, and return the exit code."""
    progress = SourceProgress(as_json=to.as_json, is_quiet=to.as_json or to.quiet)
    report = Report()
    code = 0
    begun_s = time.monotonic()
    try:
        import_sources(sources, target, options, dry_run=dry_run, jobs=jobs, progress=progress, report=report)
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        progress.close()
        to.write(report)
    to.say(report, time.monotonic() - begun_s)
    if code == INTERRUPTED:
        output.tell("Interrupted. What is reported above is imported; the same command goes on.")
    return code or report.exit_code


@click.command("import", short_help="Bring runs of other trackers.")
@click.argument("paths", metavar="SOURCE...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--from", "format_name", metavar="FORMAT", help="Read only this format; --list-formats names them.")
@click.option(
    "--list-formats", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats, help="List the formats."
)
@click.option(
    "--repo",
    type=REPOSITORY_ADDRESS,
    default=None,
    help="The folder that contains .aim, created if there is none, or the address of a server over a cluster, such as "
    "aim://host:53800/project.  [default: $AIM_REPO, else the nearest above, or here]",
)
@click.option("--into", metavar="EXPERIMENT", help="The experiment of the runs.  [default: as in the source]")
@click.option("--dry-run", is_flag=True, help="Read everything and report, but write nothing.")
@click.option("--follow", is_flag=True, help="Go on: import again what has changed, until Ctrl-C or --idle.")
@click.option(
    "--idle", "idle_s", metavar="SECONDS", type=float, help="With --follow: end when nothing has changed for so long."
)
@click.option("--since", type=click.DateTime(), help="Leave out runs that began before.")
@click.option("--only", metavar="GLOB", multiple=True, help="Only runs of this name or path, such as 'lr-*'.")
@click.option("--skip", metavar="KINDS", help=f"Leave out: {_listed(SKIPPABLE)}.")
@click.option(
    "--map", "rules", metavar="RULES.toml", type=click.Path(path_type=Path), help="Rules that rename metrics."
)
@click.option(
    "--name-as",
    "naming",
    type=click.Choice(names.NAMINGS),
    default=names.CONTEXT,
    show_default=True,
    help="context: train/loss becomes loss with the context subset=train. full: names stay.",
)
@click.option(
    "--artifacts",
    type=click.Choice(["copy", "link", "none"]),
    default="none",
    show_default=True,
    help="Copy files of the runs into the repository, or keep their addresses.",
)
@click.option(
    "--no-merge-hparams",
    "merge_hparams",
    flag_value=False,
    default=None,
    help="TensorBoard: keep a folder of hyperparameters as a run.",
)
@click.option("--parse", is_flag=True, help="MLflow: make numbers and lists of the texts of params.")
@click.option("--tags", is_flag=True, help="MLflow: make tags k:v of the tags k=v that people set.")
@click.option("--keep-steps", is_flag=True, help="MLflow: leave points without a step at step 0.")
@click.option("--step", metavar="COLUMN", help="Tables: the column of the step.")
@click.option("--epoch", metavar="COLUMN", help="Tables: the column of the epoch.")
@click.option("--time", metavar="COLUMN", help="Tables: the column of the time.")
@click.option("--run", metavar="COLUMN", help="Tables: the column that tells runs apart.")
@click.option("--encoding", help="Tables: of a CSV file.  [default: utf-8]")
@click.option(
    "--steps",
    type=click.Choice(["metric"]),
    help="W&B: metric: the step of a point is the value of its step metric (define_metric).",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="So many processes import runs at the same time.",
)
@click.option("--strict", is_flag=True, help="Stop at the first damage.")
@click.option(
    "--report", "report_path", metavar="FILE", type=click.Path(path_type=Path), help="Write the report as JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each run, and the report.")
@click.option("-q", "--quiet", is_flag=True, help="Print no report.")
def import_runs(
    paths: tuple[Path, ...],
    format_name: str | None,
    repo: Path | str | None,
    dry_run: bool,
    follow: bool,
    idle_s: float | None,
    jobs: int,
    report_path: Path | None,
    as_json: bool,
    quiet: bool,
    **values: Any,
) -> None:
    """
    Bring the runs of other trackers from folders or files; their format is recognised.

    A source is never changed. The same call again imports only what is new. What was not imported is counted in the
    report. Exit code 0: all came over; 3: something was lost to damage.
    """
    if not paths:
        raise click.UsageError("Name the folder or file to import, such as `aim import ./runs`.")
    options = options_of(values)

    def sources() -> list[Source]:
        return [source for path in paths for source in recognised(path, format_name)]

    target = target_of(repo)
    to = ReportOutput(report_path, as_json, quiet)
    if follow and not dry_run and isinstance(target, str):
        raise UsageError(f"{target}: --follow goes into a folder only. Send it from there: aim sync FOLDER {target}")
    if follow and not dry_run:
        assert isinstance(target, Path)
        code = follow_sources(sources, target, options, idle_s=idle_s, to=to)
    else:
        code = run_import(sources(), target, options, dry_run=dry_run, jobs=jobs, to=to)
    sys.exit(code)


def follow_sources(
    recognise: Callable[[], Sequence[Source]],
    target: Path,
    options: ImportOptions,
    *,
    idle_s: float | None,
    to: ReportOutput,
) -> int:
    """
    Import, and record what comes, until Ctrl-C or until nothing has changed for *idle_s*; return the exit code.

    Args:
        to: where the first report goes; what comes later is told in a line each.
    """
    code = 0
    is_first = True
    begun_s = time.monotonic()

    def tell(report: Report) -> None:
        nonlocal code, is_first
        code = max(code, report.exit_code)
        if is_first:
            is_first = False
            to.write(report)
            to.say(report, time.monotonic() - begun_s)
            return
        for run in report.runs:
            if run.state != UNCHANGED and not to.quiet:
                output.tell(
                    f"{run.title}: {run.state}, {counted(run.counts.points, 'point')}{run.reason and ': '}{run.reason}"
                )

    try:
        follow_changes(recognise, target, options, tell, idle_s)
    except KeyboardInterrupt:
        output.tell("Ended. The same command goes on.")
    return code


@click.command("3to4", short_help="Bring the runs of a repository of Aim 3.")
@repo_option
@click.option(
    "--to",
    "target",
    type=FOLDER_ADDRESS,
    default=None,
    help="Where the new repository is written.  [default: .aim4-import, beside the old one]",
)
@click.option("--switch", is_flag=True, help="Let the new repository take the name .aim; the old one becomes .aim3.")
@json_option
def upgrade_3to4(repo: Path | str | None, target: Path | None, switch: bool, as_json: bool) -> None:
    """
    Write a repository of this version beside one of Aim 3, with all its runs, and compare what was written.

    The old repository is not changed. With --switch, after everything was compared and if no process of Aim 3 records
    into it, it is renamed to .aim3, where Aim 3 can go on with it, and the new one takes its place.
    """
    root = folder_of_address(repo or Path.cwd())
    target = target or root / SIBLING
    if switch:
        upgrade.check_not_live(root)
        upgrade.check_ended(target)
    code = run_import(
        recognised(upgrade.old_folder(root), "aim3"), target, ImportOptions(), to=ReportOutput(as_json=as_json)
    )
    if not switch:
        output.tell(f"The new repository is in {target}. With --switch it takes the place of the old one.")
    elif code == 0:
        output.tell(f"The old repository is {upgrade.switch(root, target)} now, and the new one has its place.")
    else:
        output.tell("The repositories keep their places, because the report above has losses.")
    sys.exit(code)
