"""
Work of an event loop in a test whose thread may have one already: a browser's runs until the process ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run *work* in an event loop of its own, in another thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
