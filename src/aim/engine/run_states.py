"""
The states of runs that a server tells its clients, with the objects of their params as they are stored.

A state is read again at each question; of a run that was asked for recently only what is new is read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from aim.core.errors import NotFound
from aim.core.recent import Recent
from aim.engine.state_forms import state_form, stored_param
from aim.storage.backend import Backend
from aim.storage.forms.run_log import RunLog

LOGS_MAX = 1_024


class StateForms(NamedTuple):
    """
    Attributes:
        forms: of the runs that are there, in the order in which they were asked for; see `state_forms`.
        unreadable: the hash of each run that can't be read, and why.
    """

    forms: list[dict[str, Any]]
    unreadable: list[tuple[str, str]]


class RunStates:
    """The states of the runs in *backend*. Any thread may ask."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._logs: Recent[str, RunLog] = Recent(LOGS_MAX)
        self._lock = threading.Lock()

    def forms(self, run_hashes: Iterable[str]) -> StateForms:
        """Return the forms of the states of runs; those that are gone are left out."""
        answer = StateForms([], [])
        now_s = time.time()
        for run_hash in run_hashes:
            try:
                answer.forms.append(state_form(self._log(run_hash).refresh(), now_s))
            except (NotFound, FileNotFoundError):
                with self._lock:
                    self._logs.pop(run_hash)
            except OSError as error:
                answer.unreadable.append((run_hash, error.strerror or str(error)))
        return answer

    def _log(self, run_hash: str) -> RunLog:
        self._backend.check_exists(run_hash)
        with self._lock:
            return self._logs.get(run_hash, None, lambda: self._backend.log(run_hash, stored_param))
