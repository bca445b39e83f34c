"""
The pool of threads: quick requests do not wait behind long ones.
"""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from aim.server import pool as pool_module
from aim.server.answers import Refusal
from aim.server.pool import Pool
from tests.apart import apart


def test_quick_work_does_not_wait_behind_long_work() -> None:
    """
    With more long requests than threads a quick one is answered at once.
    """
    pool = Pool()
    is_answered = threading.Event()

    async def ask() -> tuple[str, list[bool]]:
        long = [asyncio.ensure_future(pool.run_long(is_answered.wait, 30)) for _ in range(2 * (os.cpu_count() or 1))]
        await asyncio.sleep(0)
        answer = await pool.run(lambda: "here")
        is_answered.set()
        return answer, list(await asyncio.gather(*long))

    answer, waited = apart(ask())
    pool.close()

    assert "here" == answer
    assert all(waited)


def test_too_much_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The number of waiting requests, long and quick together, has a limit.
    """
    monkeypatch.setattr(pool_module, "WAITING_MAX", 3)
    pool = Pool()
    go_on = threading.Event()

    async def ask() -> str:
        long = [asyncio.ensure_future(pool.run_long(go_on.wait, 30)) for _ in range(3)]
        await asyncio.sleep(0)
        try:
            await pool.run(lambda: None)
        except Refusal as refusal:
            return str(refusal.body["kind"])
        finally:
            go_on.set()
            await asyncio.gather(*long)
        return "taken"

    status = apart(ask())
    pool.close()

    assert "busy" == status
