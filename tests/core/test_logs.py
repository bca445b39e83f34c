"""
The logger of what a training loads: the logger `aim` of `logging`, which is loaded by the first message.
"""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from aim.core.logs import log


def test_a_message_is_one_of_the_logger_aim(caplog: pytest.LogCaptureFixture) -> None:
    """
    Its level, its text and the line of code that logged it are as `logging.getLogger("aim")` has them.
    """
    with caplog.at_level(logging.INFO, "aim"):
        log.info("the loss is %s", "high")
        log.warning("and rises")

    assert [("aim", "INFO", "the loss is high"), ("aim", "WARNING", "and rises")] == [
        (record.name, record.levelname, record.getMessage()) for record in caplog.records
    ]
    assert {"test_logs.py"} == {record.filename for record in caplog.records}


def test_a_message_at_the_end_of_a_process_is_seen() -> None:
    """
    Also when `logging` is loaded as late as that.
    """
    program = "import atexit\nfrom aim.core.logs import log\natexit.register(lambda: log.warning('at the end'))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "at the end\n" == ended.stderr


def test_a_warning_is_told_where_logging_can_not_be_loaded() -> None:
    """
    Without a free descriptor nothing can be imported: a warning goes to standard error, an info nowhere.
    """
    program = """if True:
        import resource
        from aim.core.logs import log
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        log.info("nothing")
        log.warning("the loss is %s", "high", exc_info=False)
        log.error("100 %")
    """
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "the loss is high\n100 %\n" == ended.stderr
