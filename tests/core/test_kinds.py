"""
The table of kinds: what each is called, and which of them are numbers, objects and logs.
"""

from __future__ import annotations

import pytest

from aim.core import kinds


@pytest.mark.parametrize("kind", kinds.OBJECT_KINDS, ids=lambda kind: kind.stored)
def test_a_stored_kind_leads_to_its_subject_and_back(kind: kinds.ObjectKind) -> None:
    """
    Every stored name of a kind has the kind's subject, and the subject has every stored name.
    """
    assert {kind.subject} == {kinds.subject_of(stored) for stored in kind.stored_names}
    assert kind.stored_names == kinds.stored_kinds(kind.subject)


def test_the_stored_kinds_of_metrics_are_those_of_whole_sequences() -> None:
    """
    A metric may be of ints, of floats, or of both.
    """
    assert ("float", "int", "number") == kinds.stored_kinds("metric")


def test_only_objects_that_may_come_several_a_step_are_listed() -> None:
    """
    Lines and records of logs come one at a time, images and the like also as lists.
    """
    assert ("aim.log_line",) == kinds.stored_kinds("logs")
    assert ("aim.image", "list(aim.image)") == kinds.stored_kinds("images")


def test_no_name_means_two_kinds() -> None:
    """
    Stored names, subjects and aliases are each used once.
    """
    names = [name for kind in kinds.OBJECT_KINDS for name in (kind.stored, kind.subject, *kind.aliases)]

    assert len(names) == len(set(names))


def test_a_number_of_one_writer_is_int_or_float() -> None:
    """
    Only the merged sequence can be a *number*; a writer declares int or float.
    """
    assert (True, True, False) == tuple(map(kinds.is_number, ("int", "float", "number")))
    assert (True, True, True) == tuple(map(kinds.is_numeric_sequence, ("int", "float", "number")))


def test_lists_of_numbers_are_no_metric() -> None:
    """
    A list of numbers has no subject, and neither has a kind of another package.
    """
    assert [None, None] == [kinds.subject_of(stored) for stored in ("list(float)", "acme.mesh")]


def test_an_unknown_subject_is_a_key_error() -> None:
    """
    There are no stored kinds of a subject that is not in the table.
    """
    with pytest.raises(KeyError, match="meshes"):
        kinds.stored_kinds("meshes")


def test_logs_are_no_subjects_of_queries() -> None:
    """
    A query can't be about lines or records of logs.
    """
    assert (
        "metric",
        "images",
        "texts",
        "audios",
        "distributions",
        "figures",
        "videos",
        "tables",
        "objects3d",
    ) == kinds.QUERY_SUBJECTS
