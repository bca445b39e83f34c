"""
Documents of a repository, brought into another one: what `aim sync` does besides moving runs.

The target gets each document that it does not have, and of those that both have the one that was written last. A
deletion is not brought over: what one side has deleted comes back from the other one.
"""

from __future__ import annotations

from typing import NamedTuple

from aim.core.errors import AimError
from aim.engine.documents import Document, StaleRevision
from aim.engine.door import DocumentDoor


class DocumentSync(NamedTuple):
    """
    What was brought over.

    Attributes:
        written: how many documents are new in the target, or newer than they were.
        failure: why some could not be written, for people; else empty.
    """

    written: int
    failure: str


def sync_documents(source: DocumentDoor, target: DocumentDoor) -> DocumentSync:
    """
    Bring the documents of *source* into *target*.

    A refusal, such as that of a token that may not change documents, is reported and not raised.

    Raises:
        ConnectionError: a server does not answer.

    Cost: reads all documents of both, and writes those that differ.
    """
    try:
        documents = source.list()
        present = {(document.kind, document.id): document for document in target.list()} if documents else {}
    except ConnectionError:
        raise
    except AimError as error:
        return DocumentSync(0, f"Views, reports and colours of tags were not brought over: {error}")
    written, failures = 0, []
    for document in documents:
        try:
            written += _bring(document, present.get((document.kind, document.id)), target)
        except ConnectionError:
            raise
        except AimError as error:
            failures.append(f"The {document.kind} {document.id!r} was not brought over: {error}")
    return DocumentSync(written, " ".join(failures[:3]))


def _bring(document: Document, other: Document | None, target: DocumentDoor) -> bool:
    """Write a document in place of *other*, unless that is equal or later; return whether it was written."""
    if other is not None and (other.body == document.body or other.updated_at_s >= document.updated_at_s):
        return False
    try:
        target.put(document.kind, document.id, None if other is None else other.revision, document.body)
    except StaleRevision:  # somebody has written it at this moment: that is the later one
        return False
    return True
