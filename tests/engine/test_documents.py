"""
Small documents beside the runs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import NotFound, UsageError
from aim.engine.documents import DeletedDocument, Documents, StaleRevision
from aim.storage.disk.files import DISK
from aim.storage.folder import FolderDocuments


def documents_in(folder: Path) -> Documents:
    """Return the documents of a repository in *folder*/views."""
    return Documents(FolderDocuments(folder / "views", DISK))


def deletions(documents: Documents) -> list[DeletedDocument]:
    """Return what was deleted."""
    return [each for each in documents.stored() if isinstance(each, DeletedDocument)]


def test_a_document_is_one_file_that_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """
    Writing again leaves one file, with the new content and another revision.
    """
    documents = documents_in(tmp_path)
    first = documents.put("report", "r-1", None, {"text": "# One"})
    second = documents.put("report", "r-1", first.revision, {"text": "# Zwei é"})

    assert ["report-r-1.json"] == [path.name for path in (tmp_path / "views").iterdir()]
    assert [second] == documents.list()
    assert "# Zwei é" == documents.list("report")[0].body["text"]
    assert first.revision != second.revision


def test_of_two_writers_the_second_learns_of_the_first(tmp_path: Path) -> None:
    """
    Who read an older revision, or none, can't replace the document.
    """
    first_writer, second_writer = documents_in(tmp_path), documents_in(tmp_path)
    first = first_writer.put("view", "x", None, {})
    second_writer.put("view", "x", first.revision, {"by": "two"})

    for revision in (first.revision, None, "0000"):
        with pytest.raises(StaleRevision):
            first_writer.put("view", "x", revision, {"by": "one"})
    with pytest.raises(StaleRevision):
        first_writer.put("view", "y", "0000", {})


def test_files_that_are_no_documents_are_left_out(tmp_path: Path) -> None:
    """
    A damaged or foreign file hides only itself.
    """
    documents = documents_in(tmp_path)
    documents.put("tag", "good", None, {"color": 3})
    for name, content in (("view-a.json", "{"), ("view-b.json", '{"body":[],"updated_at":1}'), ("notes.txt", "x")):
        (tmp_path / "views" / name).write_text(content, encoding="utf-8")

    assert ["good"] == [document.id for document in documents.list()]


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    """
    Kind and id are checked before a path is made of them.
    """
    documents = documents_in(tmp_path)
    for kind, document_id in (("view", "../x"), ("view", ""), ("view", "A"), ("../view", "x"), ("view", "a" * 65)):
        with pytest.raises(UsageError):
            documents.put(kind, document_id, None, {})
        with pytest.raises(UsageError):
            documents.delete(kind, document_id)
    with pytest.raises(NotFound):
        documents.delete("view", "none")


def test_a_deletion_is_kept_with_its_time_until_the_document_is_written_again(tmp_path: Path) -> None:
    """
    It is no document, one may be written in its place, and what is said now counts as later than what was said before.
    """
    documents = documents_in(tmp_path)
    first = documents.put("view", "x", None, {"n": 1})
    documents.delete("view", "x")
    (deletion,) = deletions(documents)
    listed = documents.list()
    with pytest.raises(NotFound):
        documents.delete("view", "x")
    second = documents.put("view", "x", None, {"n": 2})

    assert [] == listed
    assert first.updated_at_s < deletion.deleted_at_s < second.updated_at_s
    assert [[second], []] == [documents.list(), deletions(documents)]


def test_a_deletion_from_elsewhere_deletes_only_what_is_older(tmp_path: Path) -> None:
    """
    A document that was written since, or at that moment, stays.
    """
    documents = documents_in(tmp_path)
    written = documents.put("view", "x", None, {}, at_s=1_000.0)
    for at_s in (999.0, 1_000.0):
        with pytest.raises(StaleRevision):
            documents.delete("view", "x", at_s=at_s)
    kept = documents.list()
    documents.delete("view", "x", at_s=1_001.0)

    assert ([written], 1_000.0) == (kept, kept[0].updated_at_s)
    assert [1_001.0] == [deletion.deleted_at_s for deletion in deletions(documents)]
