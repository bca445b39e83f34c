"""
The examples of docs/query-language.md, asked of a folder and of a server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from aim import Repo, Run
from aim.core.errors import InvalidQuery
from tests.door.conftest import Served
from tests.query.test_language_page import LONDON, PAGE, examples


@pytest.fixture(scope="module", name="doors")
def _doors(served: Iterator[Served]) -> tuple[Repo, Repo]:
    """
    The runs that the page shows, made now: as a folder, and as an address.
    """
    repository = next(served)
    address, root, _ = repository
    (block,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for record in json.loads(block):
        run = Run(
            repo=str(root),
            experiment=record["experiment"],
            system_tracking_interval=None,
            capture_terminal_logs=False,
        )
        run.name, run.archived = record["name"], record.get("archived", False)
        run[...] = record["params"]
        for tag in record["tags"]:
            run.add_tag(tag)
        for name, context, values in record["metrics"]:
            for step, value in enumerate(values):
                run.track(float("nan") if value is None else value, name=name, step=step, context=context)
        run.close()
    repository.ship()
    return Repo(str(root)), Repo(address)


def test_each_example_finds_the_same_over_an_address(doors: tuple[Repo, Repo]) -> None:
    """
    The same runs or sequences in the same order, or the same error with the same place in the query.
    """
    answers = []
    for repo in doors:
        questions = repo.door.questions()
        answer: list[object] = []
        for example in examples():
            try:
                if example.subject == "run":
                    answer.append((example.line, questions.runs(example.query, zone=LONDON)))
                else:
                    answer.append((example.line, questions.sequences(example.query, example.subject, zone=LONDON)))
            except InvalidQuery as error:
                answer.append((example.line, str(error), error.start, error.end, error.suggestion, error.query))
        answers.append(answer)

    assert answers[0] == answers[1]
    assert len(answers[0]) > 100
