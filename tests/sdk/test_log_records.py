"""
Log records: what `run.log_info(...)` and `logging` say is kept with the run.
"""

from __future__ import annotations

import inspect
import logging

import pytest

from aim import Image, Repo, Run
from aim.core.errors import ReadOnly, UnstorableParam
from aim.sdk.logging import LogRecord, LogRecords


def records_of(run: Run) -> list[LogRecord]:
    """Return what was logged, in a list."""
    records = run.get_log_records()
    assert isinstance(records, LogRecords)
    return list(records)


def test_a_message_is_kept_with_its_level_place_and_params(run: Run) -> None:
    """
    Each of the four calls keeps message, level, file, line and what was given by name.
    """
    line = inspect.currentframe().f_lineno + 1
    run.log_info("begin", epoch=0)
    run.log_debug("details")
    run.log_warning("100% sure? %s", loss=float("nan"), shape=[1, 2])
    run.log_error("broken")

    found = records_of(run)
    assert [20, 10, 30, 40] == [record.level for record in found]
    assert ["INFO", "DEBUG", "WARNING", "ERROR"] == [record.level_name for record in found]
    assert ["begin", "details", "100% sure? %s", "broken"] == [record.message for record in found]
    assert ({"epoch": 0}, {}) == (found[0].args, found[1].args)
    assert [1, 2] == found[2].args["shape"]
    assert (__file__, line) == found[0].logger_info


def test_the_json_of_a_record_is_that_of_aim_3(run: Run) -> None:
    """
    `json()` has message, log_level, timestamp and args.
    """
    run.log_info("hello", who="world")
    (record,) = records_of(run)

    assert {"message": "hello", "log_level": "INFO", "timestamp": record.timestamp, "args": {"who": "world"}} == (
        record.json()
    )
    assert run.creation_time <= (record.timestamp or 0.0)


def test_a_record_knows_its_moment_however_it_is_read(run: Run) -> None:
    """
    Read through `values` or `data`, a record has the time that it has in a loop over the records.
    """
    run.log_info("hello")
    (record,) = records_of(run)
    records = run.get_log_records()
    assert records is not None
    ((_, (of_data, _, time_s)),) = records.data.items()

    assert record.timestamp == time_s == of_data.timestamp == records.values.last_value().timestamp
    assert record.json()["args"] is None


def test_a_run_without_records_has_none(run: Run) -> None:
    """
    Where nothing was logged there is nothing to give.
    """
    assert run.get_log_records() is None


def test_what_cannot_be_stored_is_a_type_error(run: Run) -> None:
    """
    A param that can't be stored is named, and the message is not kept.
    """
    with pytest.raises(TypeError, match=r"args\.what"):
        run.log_info("hello", what=object())
    assert issubclass(UnstorableParam, TypeError)
    assert run.get_log_records() is None


def test_a_message_may_be_anything_that_has_a_text(run: Run) -> None:
    """
    A message that is no text is kept as its text.
    """
    run.log_info(["a", 1])

    assert ["['a', 1]"] == [record.message for record in records_of(run)]


def test_a_reading_run_logs_nothing(repo: Repo, run: Run) -> None:
    """
    A run that is open for reading refuses to log.
    """
    reading = Run(run.hash, repo=repo, read_only=True)

    with pytest.raises(ReadOnly):
        reading.log_info("hello")


def test_a_handler_keeps_what_logging_says(run: Run) -> None:
    """
    Records of `logging` from a level on are kept, arguments filled in, a traceback below.
    """
    logger = logging.getLogger("tests.training")
    handler = run.log_handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        logger.info("not this")
        logger.warning("the loss is %.1f", 9.5)
        try:
            raise ValueError("odd")
        except ValueError:
            logger.exception("a step failed")
    finally:
        logger.removeHandler(handler)

    first, second = records_of(run)
    assert ("the loss is 9.5", "WARNING", {"logger": "tests.training"}) == (first.message, first.level_name, first.args)
    assert second.message.startswith("a step failed\nTraceback")
    assert second.message.endswith("ValueError: odd")


def test_a_handler_is_silent_after_the_end_and_about_ourselves(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """
    After the end of the run records are dropped without a word; what Aim logs is never kept.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    handler = run.log_handler()
    ours, others = logging.getLogger("aim"), logging.getLogger("tests.others")
    for logger in (ours, others):
        logger.addHandler(handler)
    try:
        ours.warning("the disk is full")
        run.close()
        others.warning("too late")
    finally:
        for logger in (ours, others):
            logger.removeHandler(handler)

    assert run.get_log_records() is None
    assert "" == capsys.readouterr().err


def test_a_wrong_format_is_the_callers_fault(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A message whose arguments do not fit is reported as `logging` does, and the training goes on.
    """
    logger = logging.Logger("tests.format")  # one that pytest, whose handler raises for it, does not see
    handler = run.log_handler()
    logger.addHandler(handler)
    try:
        logger.warning("%d", "no number")
    finally:
        logger.removeHandler(handler)

    assert "Logging error" in capsys.readouterr().err
    assert run.get_log_records() is None


def test_a_record_of_a_level_by_name_or_number() -> None:
    """
    A level is understood by its name or its number; an unknown name is INFO.
    """
    levels = [LogRecord("x", level).level for level in ("error", 30, "LOUD")]

    assert [40, 30, 20] == levels


def test_a_record_takes_time_and_place_as_in_aim_3(run: Run) -> None:
    """
    After message and level come the time and (file, line); other keywords belong to the message.
    """
    run.sequence("__log_records").track(LogRecord("late", 30, 1.5e9, ("train.py", 7), loss=9.5, args={"level": 3}))
    run.sequence("__log_records").track(LogRecord("now"))
    late, now = records_of(run)

    assert (1.5e9, ("train.py", 7), {"loss": 9.5, "level": 3}) == (late.timestamp, late.logger_info, late.args)
    assert now.timestamp is not None
    assert now.timestamp > 1.6e9


def test_objects_may_belong_to_a_record(run: Run) -> None:
    """
    A param of a record is whatever a param of a run may be, an object too.
    """
    import numpy as np

    run.log_info("look", picture=Image(np.zeros((2, 2)), caption="black"))
    (record,) = records_of(run)

    assert "black" == record.args["picture"]["caption"]
