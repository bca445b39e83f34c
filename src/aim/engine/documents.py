"""
Small documents of the browser beside the runs: saved views, reports, colours of tags, annotations of curves. Specified
in docs/formats/documents.md.

    .aim/views/<kind>-<id>.json      {"kind","id","updated_at","body"} and a newline; replaced as a whole, atomically

A document's *revision* is a digest of its file. Whoever replaces a document names the revision that was read, so when
two people edit the same report, the second one is told that it has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aim.core.errors import AimError, NotFound, UsageError
from aim.storage.backend import DocumentFiles

KINDS = ("view", "report", "tag", "alert", "annotation")
ID = re.compile(r"[a-z0-9-]{1,64}")
FILE = re.compile(r"(view|report|tag|alert|annotation)-([a-z0-9-]{1,64})\.json")
BODY_BYTES_MAX = 1_000_000


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
        documents = []
        for file_name in self._files.names():
            match = FILE.fullmatch(file_name)
            if match and kind in (None, match[1]):
                document = self._read(match[1], match[2])
                if document is not None:
                    documents.append(document)
        return documents

    def _read(self, kind: str, document_id: str) -> Document | None:
        content = self._files.read(_file_name(kind, document_id))
        try:
            form = json.loads(content or b"")
            body, updated_at_s = form["body"], float(form["updated_at"])
        except (ValueError, KeyError, TypeError):
            return None
        if content is None or not isinstance(body, dict):
            return None
        return Document(kind, document_id, hashlib.blake2b(content, digest_size=8).hexdigest(), updated_at_s, body)

    def put(self, kind: str, document_id: str, revision: str | None, body: Mapping[str, Any]) -> Document:
        """
        Write a document in place of the one of *revision*; None: there was none.

        Raises:
            UsageError: the kind or the id is wrong, or the body is too large.
            StaleRevision: the stored document has another revision.
        """
        file_name = _file_name(kind, document_id)
        form = {"kind": kind, "id": document_id, "updated_at": round(time.time(), 6), "body": body}
        content = json.dumps(form, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        if len(content) > BODY_BYTES_MAX:
            raise UsageError(f"This document has {len(content):,} bytes; at most {BODY_BYTES_MAX:,} are kept.")
        with self._lock:
            stored = self._read(kind, document_id)
            if (stored.revision if stored else None) != revision:
                raise StaleRevision(f"The {kind} {document_id!r} was changed by somebody else. Load it again.")
            self._files.write(file_name, content)
        written = self._read(kind, document_id)
        assert written is not None
        return written

    def delete(self, kind: str, document_id: str) -> None:
        """Delete a document. Raises NotFound."""
        if not self._files.delete(_file_name(kind, document_id)):
            raise NotFound(f"There is no {kind} {document_id!r}.")


def _file_name(kind: str, document_id: str) -> str:
    if kind not in KINDS:
        raise UsageError(f"A document is one of {', '.join(KINDS)}, not {kind!r}.")
    if not ID.fullmatch(document_id):
        raise UsageError(f"{document_id!r} can't name a document: use 1 to 64 of a-z, 0-9 and '-'.")
    return f"{kind}-{document_id}.json"
