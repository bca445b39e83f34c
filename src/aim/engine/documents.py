"""
Small documents of the browser beside the runs: saved views, reports, colours of tags. Specified in
docs/formats/documents.md.

    .aim/views/<kind>-<id>.json      {"kind","id","updated_at","body"} and a newline; replaced as a whole, atomically

A document's *revision* is a digest of its file. Who replaces one says which revision was read, so of two people who
edit the same report one learns of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim.core.errors import AimError, NotFound, UsageError
from aim.storage.disk.files import DISK, Disk

KINDS = ("view", "report", "tag")
FOLDER_NAME = "views"
ID = re.compile(r"[a-z0-9-]{1,64}")
FILE = re.compile(r"(view|report|tag)-([a-z0-9-]{1,64})\.json")
BODY_BYTES_MAX = 1_000_000


class StaleRevision(AimError):
    """A document was changed by somebody else since it was read."""


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
    The documents of the repository in *folder*, the `.aim`.

    >>> import tempfile
    >>> documents = Documents(Path(tempfile.mkdtemp()))
    >>> documents.put("view", "nightly", None, {"name": "Nightly"}).body
    {'name': 'Nightly'}
    >>> [document.id for document in documents.list()]
    ['nightly']
    """

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self._folder = folder / FOLDER_NAME
        self._disk = disk
        self._lock = threading.Lock()

    def list(self, kind: str | None = None) -> list[Document]:
        """List the documents, of one kind or all, by kind and id. A file that is no document is left out."""
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        found = []
        for name in names:
            match = FILE.fullmatch(name)
            if match and kind in (None, match[1]):
                document = self._read(match[1], match[2])
                if document is not None:
                    found.append(document)
        return found

    def _path(self, kind: str, document_id: str) -> Path:
        if kind not in KINDS:
            raise UsageError(f"A document is one of {', '.join(KINDS)}, not {kind!r}.")
        if not ID.fullmatch(document_id):
            raise UsageError(f"{document_id!r} can't name a document: use 1 to 64 of a-z, 0-9 and '-'.")
        return self._folder / f"{kind}-{document_id}.json"

    def _read(self, kind: str, document_id: str) -> Document | None:
        try:
            content = self._path(kind, document_id).read_bytes()
            form = json.loads(content)
            body, updated_at_s = form["body"], float(form["updated_at"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        if not isinstance(body, dict):
            return None
        return Document(kind, document_id, hashlib.blake2b(content, digest_size=8).hexdigest(), updated_at_s, body)

    def put(self, kind: str, document_id: str, revision: str | None, body: Mapping[str, Any]) -> Document:
        """
        Write a document, in place of the one of *revision*; None: there was none.

        Raises:
            UsageError: the name can't be, or the body is too large.
            StaleRevision: the document there is another.
        """
        path = self._path(kind, document_id)
        form = {"kind": kind, "id": document_id, "updated_at": round(time.time(), 6), "body": body}
        content = json.dumps(form, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        if len(content) > BODY_BYTES_MAX:
            raise UsageError(f"This document has {len(content):,} bytes; at most {BODY_BYTES_MAX:,} are kept.")
        with self._lock:
            self._check(kind, document_id, revision)
            self._disk.make_folder(self._folder)
            scratch = self._folder / f".{path.name}-{secrets.token_hex(4)}"
            descriptor = self._disk.create(scratch)
            try:
                self._disk.write(descriptor, content)
                self._disk.sync(descriptor)
            finally:
                os.close(descriptor)
            self._disk.rename(scratch, path)
        written = self._read(kind, document_id)
        assert written is not None
        return written

    def delete(self, kind: str, document_id: str) -> None:
        """Delete a document. Raises NotFound."""
        path = self._path(kind, document_id)
        if not path.exists():
            raise NotFound(f"There is no {kind} {document_id!r}.")
        self._disk.unlink(path)

    def _check(self, kind: str, document_id: str, revision: str | None) -> None:
        there = self._read(kind, document_id)
        if (there.revision if there else None) != revision:
            raise StaleRevision(f"The {kind} {document_id!r} was changed by somebody else. Load it again.")
