"""
What the server has answered: a line for each request, and numbers for a monitor.

    --access-log FILE     a line of JSON for each request; `-` is standard output. The file may be moved away
    GET metrics           counters and gauges in the text form of Prometheus

Neither has the query of an address, a header or a body: these may hold tokens, or what only some may read.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psutil
from starlette.types import Scope

from aim.__about__ import VERSION
from aim.server.roles import Principal

STANDARD_OUTPUT = "-"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
PATH_CHARS_MAX = 500
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RequestLog:
    """
    Counts the answers, and writes a line for each. Any thread may use it.

    Args:
        target: the file of the lines, or `-`; None: none are written.
    """

    def __init__(self, target: str | None = None) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._slower: Counter[float] = Counter()
        self._seconds = 0.0
        self._count = 0
        self._begun_at_s = time.time()
        self._logger = None if target is None else _logger(target)

    def add(self, scope: Scope, address: str, status: int, sent_bytes: int, seconds: float) -> None:
        """Count an answer, and write its line."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        with self._lock:
            self._answers[method, status] += 1
            self._seconds += seconds
            self._count += 1
            for bound in SECONDS:
                if seconds <= bound:
                    self._slower[bound] += 1
        if self._logger is None:
            return
        principal: Principal | None = scope.get("principal")
        line = {
            "time": round(time.time(), 3),
            "address": address,
            "user": principal.name if principal is not None else "",
            "token": principal.token_id if principal is not None else "",
            "method": method,
            "path": scope["path"][:PATH_CHARS_MAX],
            "status": status,
            "bytes": sent_bytes,
            "ms": round(seconds * 1000, 1),
        }
        self._logger.info("%s", json.dumps(line, ensure_ascii=True))

    def close(self) -> None:
        """Close the file of the lines."""
        for handler in self._logger.handlers if self._logger is not None else ():
            handler.close()

    def text(self, gauges: Iterable[tuple[str, str, float]]) -> str:
        """
        Return the numbers in the text form of Prometheus.

        Args:
            gauges: names, what they are, and their values now.
        """
        with self._lock:
            answers, slower = sorted(self._answers.items()), dict(self._slower)
            seconds, count = self._seconds, self._count
        lines = _head("aim_info", "gauge", "The version of Aim.") + [f'aim_info{{version="{VERSION}"}} 1']
        lines += _head("aim_requests_total", "counter", "Answered requests.")
        lines += [
            f'aim_requests_total{{method="{method}",status="{status}"}} {number}'
            for (method, status), number in answers
        ]
        lines += _head("aim_request_seconds", "histogram", "How long requests took.")
        lines += [f'aim_request_seconds_bucket{{le="{bound}"}} {slower.get(bound, 0)}' for bound in SECONDS]
        lines += [f'aim_request_seconds_bucket{{le="+Inf"}} {count}']
        lines += [f"aim_request_seconds_sum {seconds:.6f}", f"aim_request_seconds_count {count}"]
        for name, help_text, value in (*gauges, *self._process()):
            lines += [*_head(name, "counter" if name.endswith("_total") else "gauge", help_text), f"{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _process(self) -> list[tuple[str, str, float]]:
        process = psutil.Process()
        times = process.cpu_times()
        return [
            ("process_resident_memory_bytes", "Resident memory.", process.memory_info().rss),
            ("process_cpu_seconds_total", "Processor time.", times.user + times.system),
            ("process_start_time_seconds", "When the server started, in Unix seconds.", self._begun_at_s),
        ]


def _head(name: str, kind: str, help_text: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]


def _logger(target: str) -> logging.Logger:
    handler: logging.Handler
    if target == STANDARD_OUTPUT:
        handler = logging.StreamHandler(sys.stdout)
    elif os.name == "posix":
        handler = logging.handlers.WatchedFileHandler(Path(target), encoding="utf-8")
    else:
        handler = logging.FileHandler(Path(target), encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.Logger("aim.access", logging.INFO)
    logger.addHandler(handler)
    return logger
