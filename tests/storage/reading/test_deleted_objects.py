"""
Which stored objects of a run were deleted, so that their old addresses are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aim.storage.forms import edits
from aim.storage.forms.history import Deletion
from aim.storage.reading.deleted_objects import deleted_objects, has_deleted
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture, tracked_points

Delete = Callable[..., None]


@pytest.fixture(name="delete")
def _delete(writer: Writer, folder: Path) -> Delete:
    """
    Deletes steps, or some objects of their lists.
    """
    for step in range(4):
        writer.sequence("pictures").track([Picture(), Picture(b"5678"), Picture(b"9")], step)
        writer.sequence("loss").track(0.5, step)

    def delete(name: str, steps: set[int], items: set[int] | None = None) -> None:
        deletion = Deletion(0.0, frozenset(steps), None if items is None else frozenset(items))
        edits.write(folder, {"delete": [deletion.entry(name, {})]}, by="test", seen_at_s=4e9)

    return delete


def deleted_by_step(writer: Writer, folder: Path, positions: list[object]) -> dict[int, Any]:
    """Return what was deleted of each step: None: all; the steps of which nothing was deleted are left out."""
    reader = open_run(folder)
    state = reader.state()
    deleted = deleted_objects(reader, state)
    assert bool(deleted) == has_deleted(state)
    assert {writer.id} >= {writer_id for writer_id, _ in deleted}
    return {positions.index(position): items for (_, position), items in deleted.items()}


def test_deleted_steps_and_deleted_objects_are_told_apart(writer: Writer, folder: Path, delete: Delete) -> None:
    """
    Of a deleted step all objects are gone; of others the ones that any deletion names.
    """
    positions = tracked_points(writer, "pictures").values.tolist()
    assert {} == deleted_by_step(writer, folder, positions)
    delete("pictures", {1})
    delete("pictures", {2, 3}, {0})
    delete("pictures", {3, 1}, {2})

    assert {1: None, 2: {0}, 3: {0, 2}} == deleted_by_step(writer, folder, positions)


def test_a_dropped_sequence_is_deleted_as_a_whole(writer: Writer, folder: Path, delete: Delete) -> None:
    """
    What is tracked after the drop is not deleted, at the same step neither.
    """
    positions = tracked_points(writer, "pictures").values.tolist()
    writer.sequences.advance_clock(0.0)
    edits.write(folder, {"drop": [{"name": "pictures", "context": {}}]}, by="test")

    assert {0: None, 1: None, 2: None, 3: None} == deleted_by_step(writer, folder, positions)


def test_numbers_have_no_addresses(writer: Writer, folder: Path, delete: Delete) -> None:
    """
    Deleted points of metrics are nobody's stored objects: no points are read for them.
    """
    delete("loss", {1})
    reader = open_run(folder)

    assert (False, {}) == (has_deleted(reader.state()), deleted_objects(reader, reader.state()))


def test_an_object_that_was_tracked_after_the_deletion_is_there(writer: Writer, folder: Path, delete: Delete) -> None:
    """
    A step that is tracked again after its objects were deleted has another record, which is not deleted.
    """
    positions = tracked_points(writer, "pictures").values.tolist()
    delete("pictures", {1}, {0})
    writer.sequences.set_earliest_time(4.1e9)
    writer.sequence("pictures").track([Picture()], 1)

    assert {1: {0}} == deleted_by_step(writer, folder, positions)
