"""
Small documents of the browser beside the runs: saved views, reports, colours of tags, annotations of curves. Specified
in docs/formats/documents.md.

    .aim/views/<kind>-<id>.json      {"kind","id","updated_at","body"} and a newline; replaced as a whole, atomically
                                     {"kind","id","updated_at","deleted":true}: it was deleted then, so that `aim sync`
                                     deletes it elsewhere, too, and does not bring it back

A document's *revision* is a digest of its file. Whoever replaces a document names the revision that was read, so when
two people edit the same report, the second one is told that it has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aim.core.errors import AimError, NotFound, UsageError
from aim.storage.backend import DocumentFiles

KINDS = ("view", "report", "tag", "alert", "annotation")
ID = re.compile(r"[a-z0-9-]{1,64}")
FILE = re.compile(r"(view|report|tag|alert|annotation)-([a-z0-9-]{1,64})\.json")
BODY_BYTES_MAX = 1_000_000
STEP_S = 1e-6  # of `updated_at`


class StaleRevision(AimError):
    """The document has changed since it was read."""


@dataclass(frozen=True)
class Document:
    """One document; *body* is any JSON object."""

    kind: str
    id: str
    revision: str
    updated_at_s: float
    body: Mapping[str, Any]


@dataclass(frozen=True)
class DeletedDocument:
    """That a document was deleted, and when."""

    kind: str
    id: str
    deleted_at_s: float


class Documents:
    """
    The documents of a repository, kept in *files*.

    >>> import tempfile
    >>> from aim.engine.opening import open_door
    >>> documents = open_door(tempfile.mkdtemp(), create=True).documents
    >>> documents.put("view", "nightly", None, {"name": "Nightly"}).body
    {'name': 'Nightly'}
    >>> [document.id for document in documents.list()]
    ['nightly']
    """

    def __init__(self, files: DocumentFiles) -> None:
        self._files = files
        self._lock = threading.Lock()

    def stamp(self) -> int:
        """Return a number that changes when a document is written or deleted, by anybody: one look at a folder."""
        return self._files.stamp()

    def list(self, kind: str | None = None) -> list[Document]:
        """List the documents, of one kind or all, by kind and id. A file that is no document is left out."""
        return [each for each in self._each_stored(kind) if isinstance(each, Document)]

    def stored(self) -> Sequence[Document | DeletedDocument]:
        """List the documents, and those that were deleted and not written again since, by kind and id."""
        return list(self._each_stored(None))

    def _each_stored(self, kind: str | None) -> Iterator[Document | DeletedDocument]:
        for file_name in self._files.names():
            match = FILE.fullmatch(file_name)
            if match and kind in (None, match[1]):
                stored = self._read(match[1], match[2])
                if stored is not None:
                    yield stored

    def _read(self, kind: str, document_id: str) -> Document | DeletedDocument | None:
        content = self._files.read(_file_name(kind, document_id))
        try:
            form = json.loads(content or b"")
            updated_at_s = float(form["updated_at"])
            if form.get("deleted") is True:
                return DeletedDocument(kind, document_id, updated_at_s)
            body = form["body"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        if content is None or not isinstance(body, dict):
            return None
        return Document(kind, document_id, hashlib.blake2b(content, digest_size=8).hexdigest(), updated_at_s, body)

    def put(
        self, kind: str, document_id: str, revision: str | None, body: Mapping[str, Any], *, at_s: float | None = None
    ) -> Document:
        """
        Write a document in place of the one of *revision*; None: there was none.

        Args:
            at_s: when it was written, elsewhere; None: now.

        Raises:
            UsageError: the kind or the id is wrong, or the body is too large.
            StaleRevision: the stored document has another revision.
        """
        with self._lock:
            stored = self._read(kind, document_id)
            if (stored.revision if isinstance(stored, Document) else None) != revision:
                raise StaleRevision(f"The {kind} {document_id!r} was changed by somebody else. Load it again.")
            self._write(kind, document_id, _moment_s(at_s, stored), {"body": body})
        written = self._read(kind, document_id)
        assert isinstance(written, Document)
        return written

    def delete(self, kind: str, document_id: str, *, at_s: float | None = None) -> None:
        """
        Delete a document.

        Args:
            at_s: when it was deleted, elsewhere; None: now.

        Raises:
            NotFound.
            StaleRevision: it was written at *at_s* or later.
        """
        with self._lock:
            stored = self._read(kind, document_id)
            if not isinstance(stored, Document):
                raise NotFound(f"There is no {kind} {document_id!r}.")
            if at_s is not None and stored.updated_at_s >= at_s:
                raise StaleRevision(f"The {kind} {document_id!r} was written after that.")
            self._write(kind, document_id, _moment_s(at_s, stored), {"deleted": True})

    def _write(self, kind: str, document_id: str, at_s: float, said: Mapping[str, Any]) -> None:
        form = {"kind": kind, "id": document_id, "updated_at": round(at_s, 6), **said}
        content = json.dumps(form, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        if len(content) > BODY_BYTES_MAX:
            raise UsageError(f"This document has {len(content):,} bytes; at most {BODY_BYTES_MAX:,} are kept.")
        self._files.write(_file_name(kind, document_id), content)


def _moment_s(at_s: float | None, stored: Document | DeletedDocument | None) -> float:
    """Return when a document was written or deleted: not in the future, and now means after what is stored."""
    if at_s is not None:
        return min(at_s, time.time())
    before_s = stored.updated_at_s if isinstance(stored, Document) else stored.deleted_at_s if stored else 0.0
    return max(time.time(), before_s + STEP_S)


def _file_name(kind: str, document_id: str) -> str:
    if kind not in KINDS:
        raise UsageError(f"A document is one of {', '.join(KINDS)}, not {kind!r}.")
    if not ID.fullmatch(document_id):
        raise UsageError(f"{document_id!r} can't name a document: use 1 to 64 of a-z, 0-9 and '-'.")
    return f"{kind}-{document_id}.json"
