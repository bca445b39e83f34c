"""
Threads for heavy work beside the event loop, and a bound on the requests that wait for them.

numpy and file reading let other threads run, so a few threads are enough; more would make each request slower. When too
many requests wait, the next one is refused at once (503), so that the browser can show it, instead of after a minute.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from aim.server.answers import Refusal

THREADS_MAX = 8
CHANGE_THREADS = 2
WAITING_MAX = 64
TIME_MAX_S = 60.0

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

log = logging.getLogger("aim.server")


def _log_failure(task: asyncio.Future[object]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("A change failed", exc_info=error)


class Pool:
    """Runs functions in threads."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(min(THREADS_MAX, cores + 2), thread_name_prefix="aim-server")
        # threads of their own, so that quick requests do not wait behind a thousand curves
        self._long = ThreadPoolExecutor(min(THREADS_MAX, cores), thread_name_prefix="aim-server-long")
        # and for changes, which nobody may cancel half-way
        self._changes = ThreadPoolExecutor(CHANGE_THREADS, thread_name_prefix="aim-server-change")
        self._pending = 0

    async def run(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """
        Run *function* in a thread and return its result.

        Raises:
            Refusal: (503) too many wait, or it takes longer than a minute; its result is then dropped.
        """
        return await self._run(self._threads, partial(function, *arguments, **named))

    async def run_long(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """Do as `run` in other threads: for work that may take seconds, so that quick requests do not wait for it."""
        return await self._run(self._long, partial(function, *arguments, **named))

    async def start(self, work: Callable[[], object], wait_s: float) -> bool:
        """
        Begin *work*, a change, and wait at most *wait_s* for its end; return whether it has ended. It goes on else.

        What it raises is raised here when it ends within that time, and logged when it ends later.
        """
        task = asyncio.ensure_future(asyncio.wrap_future(self._changes.submit(work)))
        done, _ = await asyncio.wait({task}, timeout=wait_s)
        if not done:
            task.add_done_callback(_log_failure)
            return False
        task.result()
        return True

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        if self._pending >= WAITING_MAX:
            raise Refusal(503, "busy", "The server has too much to do. Try again in a moment.")
        loop = asyncio.get_running_loop()
        self._pending += 1
        future = threads.submit(work)
        future.add_done_callback(lambda _: self._release(loop))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), TIME_MAX_S)
        except (asyncio.TimeoutError, TimeoutError):
            raise Refusal(
                503, "busy", f"This took more than {TIME_MAX_S:.0f} s and was cancelled. Ask for less."
            ) from None

    @property
    def pending(self) -> int:
        """How many functions wait or run."""
        return self._pending

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_down)

    def _count_down(self) -> None:
        self._pending -= 1

    def close(self) -> None:
        """Wait for functions that run, and cancel those that wait."""
        for threads in (self._threads, self._long, self._changes):
            threads.shutdown(wait=True, cancel_futures=True)
