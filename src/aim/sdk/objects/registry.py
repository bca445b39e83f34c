"""
From the name of a stored kind back to its class.

Modules are imported when their kind is first met. A kind that this version does not know, written by a newer one or
by a class of the user's own, is an `UnknownObject`: nothing stored is ever an error to list.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

from aim.core.values import Loader, Stored
from aim.sdk.objects.custom import RESERVED_FIELDS, Content, CustomObject

CLASSES = {
    "aim.image": ("aim.sdk.objects.image", "Image"),
    "aim.text": ("aim.sdk.objects.text", "Text"),
    "aim.audio": ("aim.sdk.objects.audio", "Audio"),
    "aim.distribution": ("aim.sdk.objects.distribution", "Distribution"),
    "aim.figure": ("aim.sdk.objects.figure", "Figure"),
    "aim.video": ("aim.sdk.objects.video", "Video"),
    "aim.table": ("aim.sdk.objects.table", "Table"),
    "aim.object3d": ("aim.sdk.objects.object3d", "Object3D"),
    "aim.log_line": ("aim.sdk.objects.log_line", "LogLine"),
    "aim.log_record": ("aim.sdk.objects.log_record", "LogRecord"),
}
"""Kind -> module and class. A new kind of object is one line here."""

DATASETS = {
    "deeplake.dataset": ("aim.sdk.objects.plugins.deeplake_dataset", "DeeplakeDataset"),
    "hub.dataset": ("aim.sdk.objects.plugins.hub_dataset", "HubDataset"),
    "hf_datasets.metadata": ("aim.sdk.objects.plugins.hf_datasets_metadata", "HFDataset"),
    "dvc.metadata": ("aim.sdk.objects.plugins.dvc_metadata", "DvcData"),
}
"""The same, of those that describe a dataset among the params."""


class UnknownObject(CustomObject):
    """
    An object of a kind that this version of Aim does not know: it keeps the kind, the fields and the bytes.

    >>> restore("acme.mesh", {"vertices": 8}, lambda: b"...").json()
    {'vertices': 8}
    """

    AIM_NAME: ClassVar[str] = "aim.object"

    def __init__(self, kind: str, fields: Mapping[str, Any], load: Loader, extension: str = "bin") -> None:
        super().__init__({key: value for key, value in fields.items() if key not in RESERVED_FIELDS}, Content(load))
        self.kind = kind
        self._stored_extension = extension

    @property
    def fields(self) -> dict[str, Any]:
        """What describes the object."""
        return dict(self._fields)

    @property
    def data(self) -> bytes:
        """The object's bytes, loaded when first asked for."""
        return self._read()

    def _kind(self) -> str:
        return self.kind

    def stored(self) -> Stored:
        """Return the object as it was stored."""
        return Stored(self.kind, dict(self._fields), self._read(), self._stored_extension)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownObject):
            return NotImplemented
        return self.kind == other.kind and self._fields == other._fields and self._read() == other._read()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<UnknownObject {self.kind}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.unknown(self.kind, self._fields)


def restore(kind: str, fields: Mapping[str, Any], load: Loader) -> CustomObject:
    """
    Return the object that was stored as *kind* with *fields*.

    Args:
        kind: `Stored.kind`.
        fields: `Stored.fields`; the keys `data` and `size` of the blob file are left out.
        load: gives `Stored.data`; called at most once, when the bytes are needed. For an object stored without
            bytes it may give `b""`.

    >>> restore("aim.text", {"text": "hello"}, lambda: b"")
    hello
    """
    class_path = CLASSES.get(kind) or DATASETS.get(kind)
    if class_path is None:
        return UnknownObject(kind, fields, load)
    module, name = class_path
    kind_class: type[CustomObject] = getattr(importlib.import_module(module), name)
    return kind_class._from_stored(fields, load)
