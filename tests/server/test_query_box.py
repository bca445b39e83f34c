"""
Completions and checks of the query box.
"""

from __future__ import annotations

from tests.server.conftest import Browser


def test_a_query_is_checked_without_being_asked(browser: Browser) -> None:
    """
    A correct query is answered without a count, a wrong one with its error.
    """
    assert {"count": None, "search": None} == browser.post("check", {"query": "run.hparams.lr < 1"})
    error = browser.post("check", {"query": "run.hparams.lr < "}, status=400)
    assert ("query", 16, 17) == (error["kind"], error["start"], error["end"])


def test_what_could_be_typed_next_is_offered(browser: Browser) -> None:
    """
    A completion has the characters that it replaces, and names that runs have.
    """
    answer = browser.post("complete", {"query": "run.hp and 1", "at": 6})

    assert (4, 6) == (answer["from"], answer["to"])
    assert {"text": "hparams", "kind": "param", "detail": "dict"} == answer["items"][0]


def test_words_are_a_query_for_all_that_has_one(browser: Browser) -> None:
    """
    The check and the fields of the runs say which expression the words stand for, and it finds the same runs.
    """
    search = "run.search('adam')"
    assert {"count": None, "search": search} == browser.post("check", {"query": " adam "})
    by_words, by_query = (browser.post("fields", {"query": query}) for query in ("adam", search))
    assert (search, None) == (by_words.pop("search"), by_query.pop("search"))
    del by_words["cursor"], by_query["cursor"]  # it moves on while runs are so young that they are read again
    assert by_query == by_words
    counts = [browser.post("runs", {"query": query, "fields": []})["count"] for query in ("adam", search)]
    assert counts[0] == counts[1]


def test_a_pattern_that_is_none_is_an_error_of_the_query(browser: Browser) -> None:
    """
    Half a pattern is answered as a wrong query, with what is wrong.
    """
    error = browser.post("check", {"query": "/ada(/"}, status=400)
    assert ("query", True) == (error["kind"], "This pattern can't be used" in error["message"])
