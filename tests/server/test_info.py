"""
What the pages learn of the server before all else.
"""

from __future__ import annotations

import socket

import aim
from aim.core.kinds import OBJECT_KINDS, QUERY_SUBJECTS, subject_of
from aim.engine.listing import RUN_FIELDS
from aim.server.blobs import MEDIA_TYPES, PLAIN_TYPES
from aim.server.columns import RUN_COLUMNS
from aim.server.info import LIMITS, TITLES
from aim.server.object_forms import WIRE_FORMS
from tests.server.conftest import Browser


def test_the_server_says_what_it_serves(browser: Browser) -> None:
    """
    The answer has the version, the repositories, and what may not be done.
    """
    answer = browser.client.get("api/info").json()
    while any(repo["indexing"] for repo in answer["repos"]):  # the runs are read for the first time
        answer = browser.client.get("api/info").json()

    assert (1, aim.__version__, False, False) == tuple(
        answer[name] for name in ("wire", "version", "read_only", "token")
    )
    assert ([1], [1]) == (answer["door"], answer["ship"])
    assert [("demo", "demo", 3, None)] == [
        (repo["id"], repo["name"], repo["runs"], repo["indexing"]) for repo in answer["repos"]
    ]


def test_the_kinds_are_those_of_the_one_table(browser: Browser) -> None:
    """
    Each subject of a query comes with its stored kinds, and each has a title.
    """
    kinds = browser.client.get("api/info").json()["kinds"]

    assert list(QUERY_SUBJECTS) == [kind["subject"] for kind in kinds] == list(dict.fromkeys(TITLES))
    assert {
        "subject": "images",
        "title": "Images",
        "stored": ["aim.image", "list(aim.image)"],
        "aliases": ["image"],
    } in kinds
    assert all({kind["subject"]} == {subject_of(stored) for stored in kind["stored"]} for kind in kinds)


def test_tables_by_kind_have_the_kinds_of_the_one_table() -> None:
    """
    Each kind of object has a form on the wire; media types are those of kinds that exist.
    """
    objects = {kind.stored: kind for kind in OBJECT_KINDS if not kind.is_log}

    assert set(objects) == set(WIRE_FORMS)
    assert {*MEDIA_TYPES, *PLAIN_TYPES} <= set(objects)


def test_a_request_may_ask_for_as_much_as_the_limits_say(browser: Browser) -> None:
    """
    The largest number of runs is taken; one more is refused.
    """
    limits = browser.client.get("api/info").json()["limits"]

    assert LIMITS == limits
    browser.post("runs", {"limit": limits["runs"]})
    browser.post("runs", {"limit": limits["runs"] + 1}, status=400)
    browser.post("series", {"buckets": limits["buckets"] + 1}, status=400)


def test_every_field_of_a_run_is_a_column(browser: Browser) -> None:
    """
    The pages learn the label and the type of each field of a run, and the summaries of metrics.
    """
    answer = browser.post("fields", {"query": ""})

    assert set(RUN_FIELDS) == set(RUN_COLUMNS)
    assert {"key": "created_at", "label": "Started", "type": "time"} in answer["columns"]
    assert list(RUN_COLUMNS) == [column["key"] for column in answer["columns"]]
    assert "max_step" in answer["summaries"]


def test_an_answer_is_sent_at_once(browser: Browser) -> None:
    """
    The connections that the server accepts have TCP_NODELAY, so that no answer waits for an acknowledgement.
    """
    browser.get("runs/a")
    accepted = browser.server.server.server_state.connections
    options = [
        connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for connection in accepted
    ]

    assert [1] == [min(option, 1) for option in options]
