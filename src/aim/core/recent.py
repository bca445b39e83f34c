"""
A cache of what was used lately, with a bound. When the bound is passed, what was not used for the longest time is
dropped.

    Recent(64)                       at most 64 values
    Recent(1 << 20, size_of=len)     values of at most 1 MiB together
    MemoryBound(1 << 30)             a bound on all caches that are made with it, in bytes
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, Protocol, TypeVar
from weakref import WeakSet

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Shrinkable(Protocol):
    """What a `MemoryBound` needs of a cache."""

    @property
    def size_bytes(self) -> int:
        """About how many bytes of memory its values hold."""

    def drop_oldest(self) -> bool:
        """Drop the value that was not used for the longest time; return False when there is no more than one."""


class MemoryBound:
    """
    A bound on what several caches hold together: when it is passed, the largest of them drops what it did not use for
    the longest time. The newest value of each stays, however large. Any thread may use it.

    Attributes:
        bytes_max: the bound; None: each cache has its own only.
    """

    def __init__(self, bytes_max: int | None = None) -> None:
        self.bytes_max = bytes_max
        self._caches: WeakSet[Shrinkable] = WeakSet()
        self._lock = threading.Lock()

    def add(self, cache: Shrinkable) -> None:
        """Take *cache* into account for as long as somebody holds it."""
        with self._lock:
            self._caches.add(cache)

    @property
    def size_bytes(self) -> int:
        """About how many bytes all caches hold."""
        with self._lock:
            return sum(cache.size_bytes for cache in self._caches)

    def keep(self) -> None:
        """Drop values until the bound is kept. Cost: 0.1 us a cache when it is."""
        if self.bytes_max is None:
            return
        with self._lock:
            caches = list(self._caches)
        while sum(cache.size_bytes for cache in caches) > self.bytes_max:
            caches.sort(key=lambda cache: cache.size_bytes, reverse=True)
            if not any(cache.drop_oldest() for cache in caches):
                return


MEMORY = MemoryBound()
"""The bound on all that this process keeps of points, curves, pictures and readers; `aim up` sets it."""


class Recent(Generic[Key, Value]):
    """
    Values by key, each valid for one stamp. Any thread may use it.

    Args:
        size_max: the sizes of all values together are at most this; only the newest value alone may be larger.
        size_of: the size of a value at the moment when it is put; 1 by default.
        on_drop: is called with each value that is dropped because of the bound, outside the lock.
        bound: a bound on several caches, whose sizes are in bytes then.

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
        bound: MemoryBound | None = None,
    ) -> None:
        self._size_max = size_max
        self._size_of = size_of
        self._on_drop = on_drop
        self._values: OrderedDict[Key, tuple[object, Value, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._bound = bound
        if bound is not None:
            bound.add(self)

    @property
    def size_bytes(self) -> int:
        """The sizes of all values together; bytes for a cache with a bound."""
        return self._size

    def drop_oldest(self) -> bool:
        """Drop the value that was not used for the longest time; return False when there is no more than one."""
        with self._lock:
            if len(self._values) < 2:
                return False
            _, oldest, size = self._values.popitem(last=False)[1]
            self._size -= size
        if self._on_drop is not None:
            self._on_drop(oldest)
        return True

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
        if self._bound is not None:
            self._bound.keep()
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
