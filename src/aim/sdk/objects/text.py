"""
Texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aim.core.errors import WrongType
from aim.core.values import Deferred, Loader, Stored
from aim.sdk.objects.custom import Content, CustomObject, sound_text

FIELD_CHARS_MAX = 20_000  # a longer text is stored as bytes, so that a list of texts need not read it


class Text(CustomObject):
    """
    One text of any length.

    Cost: a long text is encoded and written by another thread; it takes its own size once more until then.

    Raises:
        WrongType: (a TypeError) *text* is not a str.

    >>> Text("The loss is a moving target.").data
    'The loss is a moving target.'
    """

    AIM_NAME: ClassVar[str] = "aim.text"

    _whole: str | None = None

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise WrongType(f"`text` must be a string, not a {type(text).__name__}. Pass str(text).")
        whole = sound_text(text)
        if len(whole) <= FIELD_CHARS_MAX:
            super().__init__({"text": whole})
        else:
            super().__init__({"text": whole[:FIELD_CHARS_MAX], "chars": len(whole)})
            self._whole = whole

    @classmethod
    def _from_stored(cls, fields: Mapping[str, Any], load: Loader) -> Text:
        """Return the text that was stored with *fields*; the bytes of a long one are loaded when they are needed."""
        if "chars" not in fields:
            return cls(str(fields.get("text", "")))
        text = super()._from_stored(fields, load)
        text._fields = {"text": str(fields.get("text", "")), "chars": fields["chars"]}
        return text

    def stored(self) -> Stored:
        """Return the text's stored form; the bytes of a long one are made each time, and not kept."""
        data = self.data.encode() if "chars" in self._fields else None
        return Stored(self.AIM_NAME, dict(self._fields), data, "bin" if data is None else "txt")

    def _deferred(self) -> Deferred | None:
        """Return what another thread makes the bytes of a long text from; None: there is nothing to make."""
        count: int | None = self._fields.get("chars")
        return None if count is None else Deferred(self._kind(), count, self.__copy__().stored)

    @property
    def data(self) -> str:
        """The text."""
        if "chars" not in self._fields:
            return str(self._fields["text"])
        if self._whole is None:
            assert isinstance(self._content, Content)
            self._whole, self._content = self._content.read().decode("utf-8", "replace"), None
        return self._whole

    def json(self) -> dict[str, Any]:
        """Return an empty dict: all that a text has is its data."""
        return {}

    def __repr__(self) -> str:
        return self.data

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.text(self.data)
