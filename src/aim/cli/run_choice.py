"""
The run that a word on the command line means, and the hashes that the Tab key completes.

    3df7           the one run whose hash begins so
    lr-0.1         the one run of that name
    last           the newest run
"""

from __future__ import annotations

import click

from aim.core.errors import AimError, RunNotFound
from aim.engine.door import Door

LAST = "last"
COMPLETED_MAX = 50
HASH_CHARS = 8
"""So much of a hash is shown where a view has little room; it names the run all the same."""


def chosen_run(door: Door, text: str) -> str:
    """
    Return the hash of the run that *text* means.

    Raises:
        RunNotFound: it means no run, or several.
    """
    questions = door.questions()
    if text == LAST:
        newest = questions.runs(limit=1)
        if not newest:
            raise RunNotFound("There is no run yet.")
        return newest[0]
    try:
        return door.find_run(text)
    except RunNotFound:
        named = questions.runs(f"run.name == {text!r}", limit=2)
        if len(named) == 1:
            return named[0]
        if named:
            raise RunNotFound(f"Several runs are called {text!r}. Name one by its hash: `aim ls` lists them.") from None
        raise


def complete_runs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the hashes of the newest runs that begin with what was typed."""
    from aim.cli.runs import open_repository

    try:
        hashes = open_repository(context.params.get("repo")).questions().runs(limit=10 * COMPLETED_MAX)
    except (AimError, OSError):
        return []
    return [run_hash for run_hash in [LAST, *hashes] if run_hash.startswith(incomplete)][:COMPLETED_MAX]
