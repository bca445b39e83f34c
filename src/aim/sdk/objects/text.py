"""
Texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aim.core.errors import WrongType
from aim.core.values import Loader
from aim.sdk.objects.custom import CustomObject, sound_text


class Text(CustomObject):
    """
    One text of any length.

    Raises:
        WrongType: (a TypeError) *text* is not a str.

    >>> Text("The loss is a moving target.").data
    'The loss is a moving target.'
    """

    AIM_NAME: ClassVar[str] = "aim.text"

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise WrongType(f"`text` must be a string, not a {type(text).__name__}. Pass str(text).")
        super().__init__({"text": sound_text(text)})

    @classmethod
    def from_stored(cls, fields: Mapping[str, Any], load: Loader) -> Text:
        """Return the text that was stored with *fields*; it has no bytes to load."""
        return cls(str(fields.get("text", "")))

    @property
    def data(self) -> str:
        """The text."""
        return str(self._fields["text"])

    def json(self) -> dict[str, Any]:
        """Return an empty dict: all that a text has is its data."""
        return {}

    def __repr__(self) -> str:
        return self.data

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.text(self.data)
