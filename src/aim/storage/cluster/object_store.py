"""
Bytes of objects by key, over `obstore`: S3 and what speaks like it.

    b/<rid>/<writer>/<file>/<start>-<bytes>   a part of a blob file
    w/<rid>/<sha256>/<start>-<bytes>          a part of a sealed file or of an artifact
    c/<project>/<format>-<seen>-<sha256>      a snapshot of the catalogue: see cluster_snapshots.py

A key says all of what it names, and its bytes never change, so putting it again changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from aim.core.errors import Unavailable, UsageError
from aim.storage.cluster.settings import ObjectSettings

CONNECT_TIMEOUT = "5s"
RETRYING: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}  # a page waits, and shippers come again
INSTALLING = 'A cluster needs packages: pip install "aim[cluster]".'


class ObjectsUnavailable(Unavailable):
    """The object store does not answer, or refuses."""


def part_key(rid: bytes, writer: int, file: int, start: int, size_bytes: int) -> str:
    """
    Return the key of a part of a blob file.

    >>> part_key(bytes(16), 1, 0, 4096, 10)
    'b/00000000000000000000000000000000/00000001/0/4096-10'
    """
    return f"{writer_prefix(rid, writer)}/{file}/{start}-{size_bytes}"


def writer_prefix(rid: bytes, writer: int) -> str:
    """Return what the keys of all parts of the blob files of a writer begin with."""
    return f"b/{rid.hex()}/{writer:08x}"


def run_prefixes(rid: bytes) -> tuple[str, ...]:
    """Return what the keys of all objects of a run begin with."""
    return f"b/{rid.hex()}", f"w/{rid.hex()}"


def whole_prefix(rid: bytes, sha256: str) -> str:
    """Return what the keys of all parts of a whole file begin with."""
    return f"w/{rid.hex()}/{sha256}"


def whole_key(rid: bytes, sha256: str, start: int, size_bytes: int) -> str:
    """Return the key of a part of a file whose SHA-256 is known."""
    return f"{whole_prefix(rid, sha256)}/{start}-{size_bytes}"


class Objects:
    """
    The objects of a cluster. Any number of threads may use it.

    Raises:
        UsageError: `obstore` is not installed, or does not understand the settings.
    """

    def __init__(self, settings: ObjectSettings) -> None:
        try:
            import obstore
            import obstore.exceptions
            import obstore.store
        except ImportError:
            raise UsageError(INSTALLING) from None
        self._obstore = obstore
        try:
            options: dict[str, Any] = dict(settings.options)
            client: Any = {"connect_timeout": CONNECT_TIMEOUT}
            if options.pop("allow_http", ""):
                client["allow_http"] = True
            self._store = obstore.store.from_url(
                settings.address, client_options=client, retry_config=RETRYING, **options
            )
        except (ValueError, obstore.exceptions.BaseError) as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(f"{settings.address}: objects can't be kept there: {reason}") from None

    def put(self, key: str, data: bytes | Path) -> None:
        """Store bytes, or those of a file; they are there for good when this returns. Raises ObjectsUnavailable."""
        try:
            self._obstore.put(self._store, key, data)
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise _unavailable(error) from None

    def read(self, key: str, start: int, size_bytes: int) -> bytes:
        """
        Return bytes of an object.

        Raises:
            FileNotFoundError: there is no such object.
            ObjectsUnavailable: the store does not answer.
        """
        if not size_bytes:
            return b""
        try:
            return bytes(self._obstore.get_range(self._store, key, start=start, length=size_bytes))
        except FileNotFoundError:
            raise
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise _unavailable(error) from None

    def read_whole(self, key: str) -> bytes:
        """Return all bytes of an object. Raises as `read`."""
        try:
            return bytes(self._obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            raise
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise _unavailable(error) from None

    def keys(self, prefix: str) -> list[str]:
        """List the keys below *prefix*, sorted. Raises ObjectsUnavailable."""
        try:
            return sorted(str(entry["path"]) for batch in self._obstore.list(self._store, prefix) for entry in batch)
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise _unavailable(error) from None

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are gone are no error. Raises ObjectsUnavailable."""
        try:
            for key in keys:
                with contextlib.suppress(FileNotFoundError):
                    self._obstore.delete(self._store, key)
        except (self._obstore.exceptions.BaseError, OSError) as error:
            raise _unavailable(error) from None


def _unavailable(error: Exception) -> ObjectsUnavailable:
    return ObjectsUnavailable(f"The object store does not answer: {(str(error) or repr(error)).splitlines()[0][:300]}")
