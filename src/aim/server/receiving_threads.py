"""
The threads that take what trainings send, and hand their answers back together.

    the event loop     puts each request into a queue, and waits for its answer
    a thread           takes the requests that are there, one after the other; then the loop is woken once for all

Waking the loop, and a thread, costs about as much as taking a small request. So when requests come faster than they are
taken, several share it; a request that comes alone is answered alone.
"""

from __future__ import annotations

import asyncio
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from aim.core.shield import shielded
from aim.server.open_repository import Receiving

THREADS = 2
TOGETHER_MAX, TOGETHER_S_MAX = 32, 0.005  # answers are handed back after so many, or so long, at the latest

Answer = dict[str, Any]


class WaitingRequest(NamedTuple):
    """A request in the queue, and the future of its answer, which belongs to *loop*."""

    receiver: Receiving
    body: bytes
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Answer]


Taken = tuple[asyncio.Future[Answer], Answer | None, Exception | None]


class ReceivingThreads:
    """Begins its threads with the first request."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[WaitingRequest | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def take(self, receiver: Receiving, body: bytes) -> Answer:
        """Have *receiver* take a request in one of the threads; return its answer. What it raises is raised."""
        if not self._threads:
            names = [f"aim-server-receive-{number}" for number in range(THREADS)]
            self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
            for thread in self._threads:
                thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.put(WaitingRequest(receiver, body, loop, future))
        return await future

    def close(self) -> None:
        """Take what waits, and end the threads."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            is_last = self._take_several(first)
            if is_last:
                return

    def _take_several(self, first: WaitingRequest) -> bool:
        """Take a request and those that wait behind it, up to a bound; return whether there will be no more."""
        taken: list[Taken] = []
        until_s = time.monotonic() + TOGETHER_S_MAX
        waiting: WaitingRequest | None = first
        while waiting is not None:
            taken.append(_taken(waiting))
            if len(taken) == TOGETHER_MAX or time.monotonic() > until_s:
                break
            try:
                waiting = self._waiting.get_nowait()
            except Empty:
                break
        if not first.loop.is_closed():
            first.loop.call_soon_threadsafe(_hand_back, taken)
        return waiting is None


def _taken(waiting: WaitingRequest) -> Taken:
    answers: list[Answer] = []
    errors: list[Exception] = []
    shielded(lambda: answers.append(waiting.receiver.receive(waiting.body)), errors.append)
    return waiting.future, next(iter(answers), None), next(iter(errors), None)


def _hand_back(taken: list[Taken]) -> None:
    for future, answer, error in taken:
        if future.cancelled():  # nobody waits for it
            continue
        if error is not None:
            future.set_exception(error)
        elif answer is not None:
            future.set_result(answer)
