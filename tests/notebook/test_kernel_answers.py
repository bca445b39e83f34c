"""
A page in a cell of a notebook: what the kernel answers, and the picture that stays.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from aim import Repo, notebook
from aim.core.errors import UsageError
from aim.notebook.picture import still_picture
from tests.notebook.asking import QUERY, WAIT_S, answering, asked, record, repo_of_runs


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Repo:
    """
    A repository of four runs with two learning rates.
    """
    return repo_of_runs(tmp_path)


def test_the_kernel_answers_what_a_server_does(repo: Repo) -> None:
    """
    The table of runs is that of the wire, a change is refused, and an unknown address is not there.
    """
    with answering(repo) as answers:
        info = json.loads(asked(answers, "GET", "info").content)
        repo_id = info["repos"][0]["id"]
        table = json.loads(asked(answers, "POST", f"repos/{repo_id}/runs", {"query": "", "fields": []}).content)
        change = asked(answers, "POST", f"repos/{repo_id}/edits", {"runs": table["hash"], "change": {"archived": True}})
        missing = asked(answers, "GET", "repos/none/alerts")

    assert (4, True) == (table["count"], info["read_only"])
    assert (403, 404) == (change.status, missing.status)


def test_the_kernel_tells_of_a_new_run(repo: Repo) -> None:
    """
    A run that is recorded while the cell is open is told as a tick that names it.
    """
    heard: Queue[Any] = Queue()
    earlier = {run.hash for run in repo.iter_runs()}
    with answering(repo) as answers:
        answers.follow(heard.put)
        first = heard.get(timeout=WAIT_S)
        record(repo, 4)
        (added,) = {run.hash for run in repo.iter_runs()} - earlier
        deadline_s = time.monotonic() + WAIT_S
        tick = heard.get(timeout=WAIT_S)
        while added not in (tick["changed"] or ()) and time.monotonic() < deadline_s:
            tick = heard.get(timeout=WAIT_S)

    assert 4 == first["total"]
    assert 5 == tick["total"]


def test_a_still_picture_has_the_curves_and_no_script(repo: Repo) -> None:
    """
    The picture that a saved notebook keeps is an SVG with a line for each run, and the name of the metric.
    """
    picture = still_picture(repo, QUERY)

    assert picture.startswith("<svg xmlns=")
    assert ">loss</text>" in picture
    assert 4 == picture.count("stroke-width:1.5")
    assert "<script" not in picture
    assert "no metric that matches" in still_picture(repo, "metric.name == 'gone'")


def test_what_can_not_be_shown_is_refused_with_what_can(repo: Repo) -> None:
    """
    An unknown page, setting or kind of chart is refused before anything is opened.
    """
    with pytest.raises(UsageError, match=r"no page 'charts'; there are: metrics, runs"):
        notebook.page(repo, "charts")
    with pytest.raises(UsageError, match=r"no setting 'colour'; there are: color, dash"):
        repo.show(colour="run.hparams.lr")
    with pytest.raises(UsageError, match=r"no chart 'pie'; there are: line, scatter, bar, box, violin, heat"):
        notebook.chart(repo, "pie")
