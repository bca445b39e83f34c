"""
`aim demo`: example runs to look at before you have your own; `demo_runs` says which.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from aim.cli import demo_runs, output
from aim.cli.demo_runs import EXPERIMENT
from aim.cli.formats import json_option
from aim.cli.main import FOLDER_ADDRESS
from aim.engine.opening import repository_exists
from aim.engine.repository import Repository
from aim.storage.recording import detached

MODULE = demo_runs.__name__
START_S_MAX = 30


@click.command(short_help="Record example runs to look at.")
@click.option(
    "--repo",
    type=FOLDER_ADDRESS,
    default=None,
    help="The folder that contains .aim; created if it does not exist.  [default: the current folder]",
)
@click.option(
    "--live-minutes",
    type=click.FloatRange(min=0, max=1440),
    default=10,
    show_default=True,
    help="How long the run that is live goes on; 0: there is none.",
)
@json_option
def demo(repo: Path | None, live_minutes: float, as_json: bool) -> None:
    """
    Record example runs with everything that a run can hold.

    They are 18 runs of a sweep over seeds; a baseline with images, texts, sounds, videos, tables, figures,
    distributions, 3D objects, files, printed lines, log records, system metrics, environment, notes and a rewind; a
    fork of it; a failed run, a lost one, and one that is live. `aim runs rm` deletes them.
    """
    root = repo if repo is not None else Path.cwd()
    if not repository_exists(root):
        root.mkdir(parents=True, exist_ok=True)
        Repository(root, create=True)
    progress = output.Progress("recorded runs", len(demo_runs.LEARNING_RATES) * 6 + 4)
    count = 0
    for _ in demo_runs.record_all(root):
        count += 1
        progress.step()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    lost = subprocess.run([sys.executable, "-m", MODULE, str(root), "lost"], env=environment, check=False)
    count += lost.returncode == 0
    progress.step()
    progress.end()
    process_id = _start_live(root, live_minutes) if live_minutes else None
    count += process_id is not None
    text = f"{count} runs recorded in {root.resolve()}, experiment {EXPERIMENT!r}."
    if process_id is not None:
        text += f" One of them is live: process {process_id} records it for {live_minutes:g} minutes."
    recorded = {"repo": str(root.resolve()), "experiment": EXPERIMENT, "runs": count}
    output.say(output.json_line(recorded) if as_json else f"{text}\nView them: aim up --repo {root}")


def _start_live(root: Path, minutes: float) -> int | None:
    """Start the process of the live run, wait until the run is there, and return its process id; None: it can't."""
    repository = Repository(root)
    count = repository.run_count()
    process_id = detached.start(MODULE, str(root), "live", str(minutes))
    deadline_s = time.monotonic() + START_S_MAX
    while process_id is not None and repository.run_count() == count:
        if time.monotonic() > deadline_s:
            return None
        time.sleep(0.05)
    return process_id
