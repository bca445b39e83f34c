"""
The tags of a repository: how many runs have each, its colour and its description. The pages read the same documents.

The name of a tag is stored with each run. Its colour and description are one document of kind `tag`
(docs/formats/documents.md), looked up by the name in it. A tag that no run has exists as long as it has a document.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from aim.core.errors import NotFound, RunNotFound
from aim.core.tags import HEX, Tag, check_color, check_tag, id_of_tag
from aim.engine.documents import Document, Documents, StaleRevision
from aim.engine.run_readers import RunReaders
from aim.engine.scan import Scan
from aim.engine.shared_edits import RunEdit, write_edits
from aim.storage.backend import Backend
from aim.storage.catalogue.run_table import RunTable

KIND = "tag"
TRIES_MAX = 5  # when others write the same document at the same time


class TagOwner(Protocol):
    """What `Tags` asks of its repository."""

    @property
    def documents(self) -> Documents: ...
    def questions(self) -> Scan: ...
    @property
    def readers(self) -> RunReaders: ...
    @property
    def backend(self) -> Backend: ...


class Tags:
    """
    The tags of a repository.

    Args:
        by: stored in the edits of runs as the author.

    >>> import tempfile
    >>> from aim.engine.opening import open_door
    >>> tags = open_door(tempfile.mkdtemp(), create=True).tags(by="doctest")
    >>> tags.put("paper", color="green")
    Tag(name='paper', color='#3f9463', description=None, run_count=0)
    """

    def __init__(self, repository: TagOwner, *, by: str) -> None:
        self._repository = repository
        self._documents = repository.documents
        self._by = by

    def all(self) -> list[Tag]:
        """List all tags, by name. Cost: a query, and one small file for each tag that has a document."""
        counts = self._repository.questions().catalogue.ask(_counts)
        described = self._described()
        names = sorted({*counts, *described}, key=lambda name: (name.casefold(), name))
        return [_tag(name, described.get(name), counts.get(name, 0)) for name in names]

    def _described(self) -> dict[str, Document]:
        # two programs may have written documents of one name at once: the later one counts
        documents = sorted(self._documents.list(KIND), key=lambda document: document.updated_at_s)
        return {name: document for document in documents if isinstance(name := document.body.get("name"), str) and name}

    def put(self, name: str, *, color: str | None = None, description: str | None = None) -> Tag:
        """
        Set the colour or the description of a tag; no run needs to have it.

        Args:
            color: see `core.tags.check_color`.
            color, description: None leaves it as it is, '' removes it.

        Raises:
            UsageError: the name is empty, or there is no such colour.
        """
        name = check_tag(name)
        said = {"color": check_color(color) if color else color, "description": description}
        for attempt in range(TRIES_MAX):
            stored = self._described().get(name)
            body = {**(stored.body if stored else {}), "name": name}
            body.update({key: value for key, value in said.items() if value is not None})
            try:
                document_id, revision = (stored.id, stored.revision) if stored else (id_of_tag(name), None)
                written = self._documents.put(KIND, document_id, revision, {k: v for k, v in body.items() if v != ""})
                break
            except StaleRevision:
                if attempt == TRIES_MAX - 1:
                    raise
        return _tag(name, written, self._repository.questions().catalogue.ask(_counts).get(name, 0))

    def rename(self, name: str, new_name: str) -> int:
        """
        Rename a tag on all its runs, and return how many there are. If there is a tag of the new name, the two become
        one, with the colour and description of that tag.

        Raises:
            NotFound: there is no such tag.
            UsageError: the new name is empty.

        Cost: reading the state of each run, and one small file with a name in the folder of each.
        """
        new_name = check_tag(new_name)
        described = self._known(name)
        if new_name == name:
            return len(self._runs(name))
        document = described.get(name)
        if document is not None:
            if new_name not in described:
                self._documents.put(KIND, id_of_tag(new_name), None, {**document.body, "name": new_name})
            self._documents.delete(KIND, document.id)
        return self._change(name, {"add": [new_name], "remove": [name]})

    def delete(self, name: str) -> int:
        """
        Remove a tag from all its runs, delete its colour and description, and return how many runs had it.

        Raises:
            NotFound: there is no such tag.

        Cost: reading the state of each run, and one small file with a name in the folder of each.
        """
        document = self._known(name).get(name)
        if document is not None:
            self._documents.delete(KIND, document.id)
        return self._change(name, {"add": [], "remove": [name]})

    def _known(self, name: str) -> dict[str, Document]:
        described, counts = self._described(), self._repository.questions().catalogue.ask(_counts)
        if name not in described and name not in counts:
            nearest = difflib.get_close_matches(name, {*described, *counts}, 1)
            hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
            raise NotFound(f"There is no tag {name!r}.{hint}")
        return described

    def _runs(self, name: str) -> list[str]:
        def ask(table: RunTable) -> list[str]:
            column = table.field("tags")
            having = [code for code, tags in enumerate(column.values) if isinstance(tags, list) and name in tags]
            hashes = table.hashes()
            return [hashes[row] for row in np.flatnonzero(np.isin(column.codes, having)).tolist()]

        return self._repository.questions().catalogue.ask(ask)

    def _change(self, name: str, change: Mapping[str, list[str]]) -> int:
        run_edits: list[RunEdit] = []
        for run_hash in self._runs(name):
            with contextlib.suppress(RunNotFound, FileNotFoundError):  # deleted meanwhile
                seen_at_s = self._repository.readers.state(run_hash).latest_at_s
                run_edits.append((run_hash, {"tags": dict(change)}, seen_at_s))
        return len(write_edits(self._repository.backend, run_edits, by=self._by))


def _counts(table: RunTable) -> dict[str, int]:
    column = table.field("tags")
    codes = np.asarray(column.codes)
    of_code = np.bincount(codes[codes >= 0], minlength=len(column.values)).tolist()
    counts: dict[str, int] = {}
    for tags, count in zip(column.values, of_code, strict=True):
        for name in tags if isinstance(tags, list) and count else ():
            counts[str(name)] = counts.get(str(name), 0) + count
    return counts


def _tag(name: str, document: Document | None, run_count: int) -> Tag:
    body = {} if document is None else document.body
    color, description = body.get("color"), body.get("description")
    return Tag(
        name,
        color if isinstance(color, str) and HEX.fullmatch(color) else None,
        description if isinstance(description, str) and description else None,
        run_count,
    )
