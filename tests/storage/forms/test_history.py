"""
Rewinds, deletions and forks as their lines hold them.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.storage.forms import history
from aim.storage.forms.history import Deletion, ForkedFrom, Rewind


@pytest.mark.parametrize(
    ("deletion", "entry"),
    [
        (
            Deletion(10.0, frozenset({9, 7})),
            {"name": "loss", "context": {"fold": [1, 2]}, "steps": [7, 9]},
        ),
        (
            Deletion(10.0, frozenset({7}), frozenset({2, 0})),
            {"name": "loss", "context": {"fold": [1, 2]}, "steps": [7], "items": [0, 2]},
        ),
        (
            Deletion(10.0, frozenset(), frozenset()),
            {"name": "loss", "context": {"fold": [1, 2]}, "steps": [], "items": []},
        ),
    ],
)
def test_a_deletion_comes_back_from_its_entry(deletion: Deletion, entry: dict[str, Any]) -> None:
    """
    Steps and indices are sorted lists on the disk; without indices the whole points are meant.
    """
    assert entry == deletion.entry("loss", {"fold": (1, 2)})
    assert deletion == Deletion.from_entry(10.0, entry)


def test_an_entry_of_texts_is_taken_as_numbers() -> None:
    """
    What another program wrote as texts counts.
    """
    assert Deletion(1.0, frozenset({7}), frozenset({2})) == Deletion.from_entry(1.0, {"steps": ["7"], "items": ["2"]})
    assert ForkedFrom("5", 7, 1.0) == ForkedFrom.from_event(1.0, {"run": 5, "step": "7"})


@pytest.mark.parametrize(
    ("context", "text"),
    [({}, "{}"), ({"b": 1, "a": [1]}, '{"a":[1],"b":1}'), ({"a": {"$float": "nan"}}, '{"a":{"$float":"nan"}}')],
)
def test_an_entry_names_its_sequence(context: dict[str, Any], text: str) -> None:
    """
    Name and context, in the text that all equal contexts have, are the key of a sequence.
    """
    assert ("loss", text) == history.sequence_key({"name": "loss", "context": context})


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("loss", "", True),
        ("loss", "float", True),
        ("pictures", "aim.image", True),
        ("__system__cpu", "float", False),
        ("__system__", "", False),
        ("x__system__", "", True),
        ("logs", "aim.log_line", False),
        ("messages", "aim.log_record", False),
    ],
)
def test_what_a_process_did_is_not_rewound(name: str, kind: str, expected: bool) -> None:
    """
    Terminal lines, log records and system metrics stay, by their kind or by the beginning of their name.
    """
    assert expected is history.is_rewound(name, kind)


@pytest.mark.parametrize(
    ("upcoming", "steps", "expected"),
    [
        (100, [], 100),
        (100, [50], 51),
        (51, [50], 51),
        (50, [50], 50),
        (3, [-1], 0),
        (3, [-7], 0),
        (100, [50, 10, 70], 11),
    ],
)
def test_the_next_step_is_the_one_after_the_least_rewind(upcoming: int, steps: list[int], expected: int) -> None:
    """
    Several rewinds leave the least step of them, and none of them leads forward.
    """
    assert expected == history.next_step(upcoming, [Rewind(step, 1.0) for step in steps])
