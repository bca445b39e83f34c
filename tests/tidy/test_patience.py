"""
No test depends on how fast the machine is: what it waits for has at least a minute, and no port is assumed to be free.

A wait ends as soon as what it is for has happened, so patience costs nothing; on a machine with much else to do a
server may need half a minute to start.
"""

from __future__ import annotations

import re

from tests.tidy.tree import sources

PATIENCE_S_MIN = 60
WAITS = (
    re.compile(r"\.(?:wait|join)\((?:timeout=)?(\d[\d_.]*)\)"),
    re.compile(r"\btimeout=(\d[\d_.]*)[,)]"),
    re.compile(r"\btime\.monotonic\(\) \+ (\d[\d_.]*)"),
    re.compile(r"^(?:WAIT|DEADLINE|STOP|PATIENCE)_S(?:_MAX)? = (\d[\d_.]*)", re.MULTILINE),
)
SHORT_ON_PURPOSE = {
    "tests/storage/recording/test_background.py": "0.05",  # that a thread goes on waiting
    "tests/ui/test_slow_line.py": "0.1",  # the pause of a recorder
}
CHOSEN_BY_THE_SYSTEM = re.compile(r"\.bind\(\(\"127\.0\.0\.1\", 0\)\)")


def test_a_wait_has_at_least_a_minute() -> None:
    """
    Deadlines of waits, joins, programs and requests are a minute or more; times of browsers are in milliseconds.
    """
    short = [
        (source.path, limit)
        for source in sources("tests")
        for pattern in WAITS
        for limit in pattern.findall(source.text)
        if float(limit) < PATIENCE_S_MIN and SHORT_ON_PURPOSE.get(source.path) != limit
    ]

    assert [] == short


def test_a_port_that_is_free_now_is_not_used_later() -> None:
    """
    A program that takes its port by number gets one from `tests.ports`, which no other test and no connection gets.
    """
    assert [] == [source.path for source in sources("tests") if CHOSEN_BY_THE_SYSTEM.search(source.text)]
