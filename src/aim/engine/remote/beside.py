"""
What a project of a server has beside its runs: tags and documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aim.core.tags import Tag
from aim.engine.documents import DeletedDocument, Document
from aim.engine.door import DocumentDoor, TagDoor
from aim.engine.remote.project import Project


class ServerTags(TagDoor):
    """
    The tags of a project.

    Args:
        forget: is called before each change.
        by: stored in the edits of runs as the author.
    """

    def __init__(self, project: Project, forget: Callable[[], object], by: str) -> None:
        self._project = project
        self._forget = forget
        self._by = by

    def all(self) -> list[Tag]:
        return [Tag(**tag) for tag in self._project.send("GET", "tags")["tags"]]

    def _change(self, action: str, name: str, **said: str | None) -> Any:
        self._forget()
        body = {"action": action, "name": name, "by": self._by, **said}
        return self._project.post("tags", body, is_repeatable=False)

    def put(self, name: str, *, color: str | None = None, description: str | None = None) -> Tag:
        return Tag(**self._change("set", name, color=color, description=description)["tag"])

    def rename(self, name: str, new_name: str) -> int:
        return int(self._change("rename", name, new_name=new_name)["count"])

    def delete(self, name: str) -> int:
        return int(self._change("delete", name)["count"])


class ServerDocuments(DocumentDoor):
    """The documents of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def list(self, kind: str | None = None) -> list[Document]:
        name = "documents" if kind is None else f"documents?kind={quote(kind, safe='')}"
        return [_document(form) for form in self._project.send("GET", name)["documents"]]

    def stored(self) -> Sequence[Document | DeletedDocument]:
        answer = self._project.send("GET", "documents")
        deleted = [DeletedDocument(form["kind"], form["id"], form["deleted_at"]) for form in answer.get("deleted", ())]
        stored: list[Document | DeletedDocument] = [*map(_document, answer["documents"]), *deleted]
        return sorted(stored, key=lambda each: (each.kind, each.id))

    def put(
        self, kind: str, document_id: str, revision: str | None, body: Mapping[str, Any], *, at_s: float | None = None
    ) -> Document:
        content = {"revision": revision, "body": dict(body), **({} if at_s is None else {"updated_at": at_s})}
        return _document(self._project.send("PUT", _document_path(kind, document_id), content))

    def delete(self, kind: str, document_id: str, *, at_s: float | None = None) -> None:
        asked = "" if at_s is None else f"?deleted_at={at_s!r}"
        self._project.send("DELETE", _document_path(kind, document_id) + asked)


def _document_path(kind: str, document_id: str) -> str:
    return f"documents/{quote(kind, safe='')}/{quote(document_id, safe='')}"


def _document(form: Mapping[str, Any]) -> Document:
    return Document(form["kind"], form["id"], form["revision"], form["updated_at"], form["body"])
