"""
`aim digest`: what one should know of runs, in as few tokens as asked.
"""

from __future__ import annotations

from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import repo_option
from aim.cli.run_table import tell_hints
from aim.cli.runs import open_repository
from aim.engine.digest import TOKENS, TOKENS_MIN, digest
from aim.engine.token_budget import token_bound


@click.command("digest", short_help="Sum up runs within a number of tokens.")
@repo_option
@click.argument("query", default="")
@click.option(
    "--tokens", type=click.IntRange(TOKENS_MIN), default=TOKENS, show_default=True, help="The text has at most so many."
)
@json_option
def sum_up(repo: Path | None, query: str, tokens: int, as_json: bool) -> None:
    """
    Sum up the runs that match QUERY for a reader with a budget, such as a language model: how they ended, in what they
    differ, which are best by each metric, why others failed, what looks wrong, and the shapes of curves.

    Example: what has become of tonight's sweep, in a thousand tokens

        aim digest 'run.experiment == "sweep"' --tokens 1000

    The same runs give the same text. Exit code 0: some runs match; 1: none; 2: the query is wrong.
    """
    repository = open_repository(repo)
    summary = digest(repository, query, tokens=tokens)
    if as_json:
        record = {"runs": summary.run_count, "states": summary.states, "tokens_max": tokens}
        output.say(output.json_line({**record, "tokens_bound": token_bound(summary.text), "text": summary.text}))
    else:
        output.say(summary.text)
    if not summary.run_count:
        tell_hints(repository, query)
        raise click.exceptions.Exit(1)
