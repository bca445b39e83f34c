"""
Silence for Python's warnings about the text of a query, such as a `"\\d"` without `r` or the pattern `[[]`.

The user of a query can't see such warnings, and where warnings are errors they would change the meaning of a query.
The filter of warnings belongs to the whole process, so one lock keeps two of our threads from changing it at once.
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
