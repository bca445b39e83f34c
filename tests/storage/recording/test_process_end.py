"""
How a process ends, as its runs say it; the ways out themselves are tried by tests/crash/test_exits.py.
"""

from __future__ import annotations

import sys

import pytest

from aim.storage.recording import process_end


@pytest.mark.parametrize("name", ["last_exc", "last_value"])
def test_the_exception_that_ends_a_process_names_the_failure(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """
    The interpreter leaves it in `sys`, under a name that depends on its version; at a prompt it means nothing.
    """
    for other in ("last_exc", "last_value", "ps1"):
        monkeypatch.delattr(sys, other, raising=False)
    monkeypatch.setattr(process_end, "_has_left", False)  # a test of the commands may have left, and was caught
    assert process_end.outcome() is None
    monkeypatch.setattr(sys, name, OSError("x"), raising=False)
    assert "OSError" == process_end.outcome()
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)

    assert process_end.outcome() is None


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (ValueError("x"), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(), None),
        (SystemExit(0), None),
        (SystemExit(False), None),
        (SystemExit(True), "SystemExit(1)"),
        (SystemExit(2), "SystemExit(2)"),
        (SystemExit("no data"), "SystemExit(1)"),
        (SystemExit(1.5), "SystemExit(1)"),
    ],
    ids=repr,
)
def test_an_exception_names_how_its_process_ends(raised: BaseException, error: str | None) -> None:
    """
    An exit code other than 0 is a failure, as is anything that Python prints instead of a code.
    """
    assert error == process_end.outcome(raised)


def test_sys_exit_is_watched_once() -> None:
    """
    Watching again, as children of forks do, puts no second function around `sys.exit`.
    """
    process_end.watch()
    first = sys.exit
    process_end.watch()

    assert first is sys.exit
    with pytest.raises(SystemExit) as left:
        sys.exit(0)
    assert 0 == left.value.code
