"""
What was read lately, up to a limit of memory: the oldest goes first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What says how much memory it takes."""

    @property
    def size_bytes(self) -> int:
        """About how much."""


Item = TypeVar("Item", bound=Sized)


class Recent(Generic[Item]):
    """
    Items by key, each good while its stamp is the same. Any thread may ask.

    Args:
        bytes_max: what is kept takes no more, but for the newest item.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._found: OrderedDict[Hashable, tuple[object, Item]] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()

    def known(self, key: Hashable, stamp: object) -> Item | None:
        """Return the item of *key* if it is kept and has this stamp."""
        known = self._found.get(key)
        return known[1] if known is not None and known[0] == stamp else None

    def get(self, key: Hashable, stamp: object, read: Callable[[], Item]) -> Item:
        """Return the item of *key*: the kept one, or a new one, which is kept then."""
        known = self.known(key, stamp)
        return known if known is not None else self.put(key, stamp, read())

    def put(self, key: Hashable, stamp: object, item: Item) -> Item:
        """Keep an item; give it."""
        with self._lock:
            before = self._found.pop(key, None)
            self._size_bytes += item.size_bytes - (before[1].size_bytes if before else 0)
            self._found[key] = (stamp, item)
            while self._size_bytes > self._bytes_max and len(self._found) > 1:
                self._size_bytes -= self._found.popitem(last=False)[1][1].size_bytes
        return item
