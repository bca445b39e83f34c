"""
`aim export`: write runs to files that other programs read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from aim.cli import output
from aim.cli.main import repo_option
from aim.cli.run_table import tell_hints
from aim.cli.runs import open_repository
from aim.convert.exporting.export import FORMATS, export
from aim.convert.exporting.page_choice import BYTES_MAX, MEDIA_CHOICES, THUMBS, PageChoice


@click.command("export", short_help="Write runs to CSV, Parquet, TensorBoard, MLflow, a ZIP or an HTML page.")
@repo_option
@click.argument("query", default="")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="The file or folder to write.")
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), help="[default: what the ending of --to says]"
)
@click.option("--view", help="The name of a saved view, whose query is used.")
@click.option("--full", is_flag=True, help="html: all points, instead of about 2,000 a curve, with all digits.")
@click.option(
    "--media",
    type=click.Choice(MEDIA_CHOICES),
    default=THUMBS,
    show_default=True,
    help="html: small pictures, the files of images, audio, video and 3D objects themselves, or none.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(min=1_000_000),
    default=BYTES_MAX,
    show_default=True,
    help="html: the largest size; what has no room is left out, the largest first.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is at --to.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def export_runs(
    repo: Path | str | None,
    query: str,
    to: Path,
    format_name: str | None,
    view: str | None,
    overwrite: bool,
    as_json: bool,
    **page: Any,
) -> None:
    """
    Write the runs that match QUERY, or all runs, and report what was written and what the format can't hold.

    Example: the losses of one experiment for a spreadsheet

        aim export 'run.experiment == "digits" and metric.name == "loss"' --to losses --format csv

    Example: a page to send by mail, which opens without a server

        aim export 'run.experiment == "digits"' --to digits.html
    """
    repository = open_repository(repo)
    bar = output.Progress("Writing runs:", 0)
    report = export(
        repository.address,
        to,
        query=query,
        view=view,
        format=format_name,
        overwrite=overwrite,
        page=PageChoice(is_whole=page["full"], media=page["media"], max_bytes=page["max_bytes"]),
        on_progress=bar.show,
    )
    bar.end()
    if as_json:
        output.say(output.json_line(report.as_json()))
    else:
        for line in report.text().splitlines():
            output.say(line)
    if not report.runs:
        tell_hints(repository, query)
        sys.exit(1)
