"""
Completions and checks of the query box.
"""

from __future__ import annotations

from tests.server.conftest import Browser


def test_a_query_is_checked_without_being_asked(browser: Browser) -> None:
    """
    A correct query is answered without a count, a wrong one with its error.
    """
    assert {"count": None} == browser.post("check", {"query": "run.hparams.lr < 1"})
    error = browser.post("check", {"query": "run.hparams.lr < "}, status=400)
    assert ("query", 16, 17) == (error["kind"], error["start"], error["end"])


def test_what_could_be_typed_next_is_offered(browser: Browser) -> None:
    """
    A completion has the characters that it replaces, and names that runs have.
    """
    answer = browser.post("complete", {"query": "run.hp and 1", "at": 6})

    assert (4, 6) == (answer["from"], answer["to"])
    assert {"text": "hparams", "kind": "param", "detail": "dict"} == answer["items"][0]
