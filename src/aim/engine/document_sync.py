"""
Documents of a repository, brought into another one: what `aim sync` does besides moving runs.

    written in the source, and later than in the target    the target gets it
    deleted in the source after the target's was written   it is deleted in the target
    deleted in the target since it was written             it stays deleted

Both sides keep when a document was written or deleted, and a sync passes that on. So whatever is synced where and how
often, of all that was said of a document the last word stays.
"""

from __future__ import annotations

from typing import NamedTuple

from aim.core.errors import AimError, NotFound
from aim.engine.documents import DeletedDocument, Document, StaleRevision
from aim.engine.door import DocumentDoor


class DocumentSync(NamedTuple):
    """
    What was brought over.

    Attributes:
        written: how many documents are new in the target, or newer than they were.
        deleted: how many were deleted there.
        failure: why some could not be written, for people; else empty.
    """

    written: int
    deleted: int
    failure: str


def sync_documents(source: DocumentDoor, target: DocumentDoor) -> DocumentSync:
    """
    Bring the documents of *source* into *target*, and what was deleted.

    A refusal, such as that of a token that may not change documents, is reported and not raised.

    Raises:
        ConnectionError: a server does not answer.

    Cost: reads all documents of both, and writes those that differ.
    """
    try:
        stored = source.stored()
        present = {(each.kind, each.id): each for each in target.stored()} if stored else {}
    except ConnectionError:
        raise
    except AimError as error:
        return DocumentSync(0, 0, f"Views, reports and colours of tags were not brought over: {error}")
    written = deleted = 0
    failures = []
    for each in stored:
        other = present.get((each.kind, each.id))
        try:
            if isinstance(each, Document):
                written += _bring(each, other, target)
            elif isinstance(other, Document):
                deleted += _delete(each, other, target)
        except ConnectionError:
            raise
        except AimError as error:
            failures.append(f"The {each.kind} {each.id!r} was not brought over: {error}")
    return DocumentSync(written, deleted, " ".join(failures[:3]))


def _bring(document: Document, other: Document | DeletedDocument | None, target: DocumentDoor) -> bool:
    """Write a document in place of *other*, unless that is equal or later; return whether it was written."""
    revision = None
    if isinstance(other, Document):
        if other.body == document.body or other.updated_at_s >= document.updated_at_s:
            return False
        revision = other.revision
    elif other is not None and other.deleted_at_s > document.updated_at_s:
        return False
    try:
        target.put(document.kind, document.id, revision, document.body, at_s=document.updated_at_s)
    except StaleRevision:  # somebody has written it at this moment: that is the later one
        return False
    return True


def _delete(deletion: DeletedDocument, other: Document, target: DocumentDoor) -> bool:
    """Delete a document that was written before it was deleted elsewhere; return whether it was deleted."""
    if other.updated_at_s >= deletion.deleted_at_s:
        return False
    try:
        target.delete(deletion.kind, deletion.id, at_s=deletion.deleted_at_s)
    except (StaleRevision, NotFound):  # somebody has written or deleted it at this moment
        return False
    return True
