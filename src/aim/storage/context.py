"""
`Context`: Aim 3's class of contexts, which distinguish sequences of one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aim.core import contexts


class Context:
    """
    A context as a value: hashable, and equal to another of the same content in any order.

    >>> Context({"subset": "train", "fold": 1}) == Context({"fold": 1.0, "subset": "train"})
    True
    >>> Context({"subset": "train"})["subset"], len(Context(None))
    ('train', 0)
    """

    __slots__ = ("_context", "_text", "_idx")

    def __init__(self, context: Mapping[str, Any] | Context | None = None) -> None:
        self._context = contexts.plain(context)
        self._text = contexts.text(self._context)
        self._idx: int | None = None

    @property
    def idx(self) -> int:
        """A 64-bit number of the content, the same in every process."""
        if self._idx is None:
            self._idx = contexts.identity(self._context)
        return self._idx

    @property
    def text(self) -> str:
        """The content as JSON with sorted keys."""
        return self._text

    def to_dict(self) -> dict[str, Any]:
        """Return the content as a dict."""
        return dict(self._context)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value at *key*, or *default*."""
        return self._context.get(key, default)

    def __getitem__(self, key: str) -> Any:
        return self._context[key]

    def __contains__(self, key: object) -> bool:
        return key in self._context

    def __iter__(self) -> Iterator[str]:
        return iter(self._context)

    def __len__(self) -> int:
        return len(self._context)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Context({self._context!r})"
