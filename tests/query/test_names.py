"""
The names of a query and those of a table fit together.
"""

from __future__ import annotations

import pytest

from aim.query import names, table


def test_every_list_of_points_is_known_to_tables() -> None:
    """
    The summaries and points of queries are those of tables.
    """
    assert set(table.POINTS) == set(names.POINTS)


def test_every_fact_is_stored_or_made_of_stored_ones() -> None:
    """
    Fields beyond those of a table are those that are computed, and the second name.
    """
    made = {"created_at", "updated_at", "finalized_at", "duration", "remaining", "active", "is_archived"}

    assert set(names.RUN) - made == set(table.FIELDS) - {"update_time", "done_at"}


@pytest.mark.parametrize("subject", names.SUBJECTS[1:])
def test_every_kind_has_a_name_and_a_context(subject: str) -> None:
    """
    All sequences have a name and a context, and count their steps.
    """
    assert {"name", "context", "count", "last_step"} <= set(names.sequence_names(subject))


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("nmae", ["name", "last"], "name"),
        ("NAME", ["name", "last"], "name"),
        ("zzz", ["name", "last"], None),
        ("LAST_STEP", ["first_step", "Last_Step"], "Last_Step"),
        ("nam", ["NAM_x", "name"], "name"),
        ("", ["name"], None),
        ("name", [], None),
    ],
)
def test_the_nearest_name_is_offered_if_it_is_near(name: str, known: list[str], expected: str | None) -> None:
    """
    Swapped letters or another case are near; other words are not.
    """
    assert expected == names.nearest(name, known)
