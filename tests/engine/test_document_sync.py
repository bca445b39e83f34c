"""
Documents between repositories: of all that was said of one, the last word stays, wherever it was said.
"""

from __future__ import annotations

import random
from pathlib import Path

from aim.engine.document_sync import sync_documents
from aim.engine.documents import Documents
from aim.storage.disk.files import DISK
from aim.storage.folder import FolderDocuments

IDS = ("a", "b")


def documents_in(folder: Path) -> Documents:
    """Return the documents of a repository in *folder*/views."""
    return Documents(FolderDocuments(folder / "views", DISK))


def contents(documents: Documents) -> dict[str, object]:
    """Return the number that each document has."""
    return {document.id: document.body["n"] for document in documents.list()}


def test_what_was_deleted_is_deleted_on_the_other_side_and_never_comes_back(tmp_path: Path) -> None:
    """
    Neither from there nor from a third repository that has it still; and a document that was written again stays.
    """
    here, there, third = (documents_in(tmp_path / name) for name in ("here", "there", "third"))
    here.put("view", "a", None, {"n": 1})
    here.put("view", "b", None, {"n": 1})
    sync_documents(here, there)
    sync_documents(here, third)
    here.delete("view", "a")
    back = sync_documents(there, here)
    over = sync_documents(here, there)
    again = [sync_documents(here, there), sync_documents(third, here), sync_documents(third, there)]
    there.put("view", "a", None, {"n": 2})
    returned = sync_documents(there, here)

    assert (0, 0) == (back.written, back.deleted)
    assert (0, 1) == (over.written, over.deleted)
    assert [(0, 0)] * 3 == [(sync.written, sync.deleted) for sync in again]
    assert (1, 0) == (returned.written, returned.deleted)
    assert {"a": 2, "b": 1} == contents(here)


def test_after_any_changes_and_syncs_all_sides_have_the_last_word(tmp_path: Path) -> None:
    """
    Random writing, deleting and syncing between three repositories; then all are synced with each other.
    """
    for seed in range(20):
        chance = random.Random(seed)
        sides = [documents_in(tmp_path / f"{seed}-{name}") for name in range(3)]
        last: dict[str, int | None] = dict.fromkeys(IDS)
        for number in range(30):
            side, other = chance.sample(sides, 2)
            document_id = chance.choice(IDS)
            action = chance.choice(("write", "delete", "sync", "sync"))
            if action == "sync":
                sync_documents(side, other)
                continue
            stored = {document.id: document for document in side.list()}.get(document_id)
            if action == "write":
                side.put("view", document_id, stored.revision if stored else None, {"n": number})
                last[document_id] = number
            elif stored is not None:
                side.delete("view", document_id)
                last[document_id] = None
        for _ in range(2):
            for source in sides:
                for target in sides:
                    if source is not target:
                        sync_documents(source, target)

        expected = {name: number for name, number in last.items() if number is not None}
        assert [expected] * 3 == [contents(side) for side in sides], seed
