"""
Files of JSON that only this user reads: written as a whole, and changed by one process at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path


def write_private(path: Path, form: object) -> None:
    """Write *form* as JSON with mode 0600: readers see the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(form, file, indent=1)
    os.replace(scratch, path)


@contextlib.contextmanager
def changing(path: Path) -> Iterator[None]:
    """Within a `with` block: nobody else changes *path*. On Windows: nobody is kept from it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("ab") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        except ImportError:
            pass
        yield
