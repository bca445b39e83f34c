"""
A cache of what was used lately, with a bound. When the bound is passed, what was not used for the longest time is
dropped.

    Recent(64)                       at most 64 values
    Recent(1 << 20, size_of=len)     values of at most 1 MiB together
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """
    Values by key, each valid for one stamp. Any thread may use it.

    Args:
        size_max: the sizes of all values together are at most this; only the newest value alone may be larger.
        size_of: the size of a value at the moment when it is put; 1 by default.
        on_drop: is called with each value that is dropped because of the bound, outside the lock.

    >>> recent = Recent[str, str](2)
    >>> for key in "abab":
    ...     _ = recent.get(key, None, key.upper)
    >>> _ = recent.put("c", None, "C")
    >>> recent.items()
    [('b', 'B'), ('c', 'C')]
    """

    def __init__(
        self,
        size_max: int,
        size_of: Callable[[Value], int] | None = None,
        on_drop: Callable[[Value], object] | None = None,
    ) -> None:
        self._size_max = size_max
        self._size_of = size_of
        self._on_drop = on_drop
        self._values: OrderedDict[Key, tuple[object, Value, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Key]:
        with self._lock:
            return iter(list(self._values))

    def lookup(self, key: Key, stamp: object = None) -> Value | None:
        """Return the value of *key* if it is cached with this stamp, else None."""
        with self._lock:
            cached = self._values.get(key)
            if cached is None or cached[0] != stamp:
                return None
            self._values.move_to_end(key)
            return cached[1]

    def get(self, key: Key, stamp: object, make: Callable[[], Value]) -> Value:
        """Return the cached value of *key* if it has this stamp; else make a new one and cache it."""
        value = self.lookup(key, stamp)
        return self.put(key, stamp, make()) if value is None else value

    def put(self, key: Key, stamp: object, value: Value) -> Value:
        """Cache a value in place of the one of the same key, and return it."""
        size = 1 if self._size_of is None else self._size_of(value)
        dropped: list[Value] = []
        with self._lock:
            self._remove(key)
            self._values[key] = (stamp, value, size)
            self._size += size
            while self._size > self._size_max and len(self._values) > 1:
                _, oldest, oldest_size = self._values.popitem(last=False)[1]
                self._size -= oldest_size
                dropped.append(oldest)
        if self._on_drop is not None:
            for oldest in dropped:
                self._on_drop(oldest)
        return value

    def pop(self, key: Key) -> Value | None:
        """Remove and return the value of *key*; None when there is none. `on_drop` is not called."""
        with self._lock:
            return self._remove(key)

    def _remove(self, key: Key) -> Value | None:
        cached = self._values.pop(key, None)
        if cached is None:
            return None
        self._size -= cached[2]
        return cached[1]

    def items(self) -> list[tuple[Key, Value]]:
        """List keys and values, the one that was not used for the longest time first."""
        with self._lock:
            return [(key, cached[1]) for key, cached in self._values.items()]
