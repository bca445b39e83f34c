"""
Silence for what Python says about a user's text while it reads it: a `"\\d"` without `r`, a pattern such as `[[]`.

The user of a query can't see such warnings, and where warnings are errors they would change what a query means.
The filter of warnings belongs to the whole process, so one lock keeps our own threads from mixing theirs up.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator

_lock = threading.RLock()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Ignore warnings within the block. Cost: some 5 us."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
