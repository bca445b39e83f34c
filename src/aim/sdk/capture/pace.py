"""
Work beside a training in small pieces: a thread of Python holds the interpreter while it computes, and a step of the
training that wants it meanwhile waits. So the thread rests after each piece, and the step goes on.

    piece 0.1 ms | rest 2 ms | piece 0.1 ms | rest 2 ms | ...        until somebody waits for the end: no more rests
"""

from __future__ import annotations

import threading

REST_S = 0.002


class Pace:
    """
    How fast a thread works beside a training. Any thread may hurry it.

    >>> pace = Pace()
    >>> pace.rest()
    >>> pace.hurry()
    """

    def __init__(self, rest_s: float = REST_S) -> None:
        self._rest_s = rest_s
        self._hurries = threading.Event()

    def rest(self) -> None:
        """Let the training go on for a moment, unless somebody waits."""
        self._hurries.wait(self._rest_s)

    def hurry(self) -> None:
        """Say that somebody waits: there are no more rests."""
        self._hurries.set()
