"""
A repository for tests of notebooks, and what its kernel answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from aim import Repo, Run
from aim.notebook.kernel_answers import Answer, KernelAnswers

WAIT_S = 90
QUERY = "metric.name == 'loss'"
RUNS = 4


def repo_of_runs(folder: Path) -> Repo:
    """
    Return a repository of four runs with two learning rates.
    """
    repo = Repo(folder, init=True)
    for index in range(RUNS):
        record(repo, index)
    return repo


def record(repo: Repo, index: int) -> None:
    with Run(repo=repo, name=f"run {index}", system_tracking_interval=None, capture_terminal_logs=False) as run:
        run["hparams"] = {"lr": 0.1 if index % 2 else 0.01}
        for step in range(20):
            run.track(index + 1 / (1 + step), name="loss", step=step)


@contextmanager
def answering(repo: Repo) -> Iterator[KernelAnswers]:
    answers = KernelAnswers(Path(repo.door.address))
    try:
        yield answers
    finally:
        answers.close()


def asked(answers: KernelAnswers, method: str, path: str, body: object = None) -> Answer:
    heard: Queue[Answer] = Queue()
    answers.ask(method, path, json.dumps(body) if body is not None else "", heard.put).result(WAIT_S)
    return heard.get(timeout=WAIT_S)
