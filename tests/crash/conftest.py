"""
What the tests of crashes share: recording without a thread beside it.
"""

from __future__ import annotations

import pytest

from aim.storage.recording import background
from tests.crash import tally


@pytest.fixture(name="no_thread")
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Writers are not looked after: a second's work is done where the test says so, and `close` does the last sync itself.
    """
    monkeypatch.setattr(background, "_state", background._Background())
    monkeypatch.setattr(background, "register", lambda writer: None)


def pytest_sessionfinish(exitstatus: int) -> None:
    """Write how often was killed."""
    tally.write(is_green=exitstatus == 0)
