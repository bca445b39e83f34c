"""
What a run printed and logged: its logs, their lines, and its records.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import NotFound
from aim.core.kinds import LINES_NAME, RECORDS_NAME
from aim.core.values import Stored
from aim.engine import logs
from aim.engine.logs import LogMessage, RunLogs, level_name, level_number
from aim.engine.repository import Repository
from aim.storage.recording.writer import Writer

LINES = {0: "first line", 1: "\x1b[31mRed\x1b[0m LINE", 3: "after a gap", 4: "straße"}


@dataclass
class LogItem:
    """A line or a record to track."""

    kind: str
    fields: dict[str, Any]

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored(self.kind, self.fields)


def log_lines(writer: Writer, lines: dict[int, str], name: str = LINES_NAME, context: Any = None) -> None:
    """Track lines of a log by their numbers."""
    for number, text in lines.items():
        writer.sequence(name, context).track(LogItem(logs.LINE_KIND, {"text": text}), step=number)


def log_record(writer: Writer, number: int, **fields: Any) -> None:
    """Track one log record."""
    writer.sequence(RECORDS_NAME).track(LogItem(logs.RECORD_KIND, fields), step=number)


@pytest.fixture(name="repository", scope="module")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """
    A run "example" with two logs and five records of two processes, and an empty run.
    """
    repository = Repository(tmp_path_factory.mktemp("logs"), create=True)
    writer = repository.new_run("example")
    log_lines(writer, LINES)
    log_record(writer, 0, level=logging.INFO, message="begin", args={"$dict": [["lr", 0.1]]}, file="a.py", line=7)
    log_record(writer, 1, level="warning", message="watch out", line="?")
    log_record(writer, 2, level=logging.ERROR, message="failed")
    writer.close()
    second = repository.resume_run("example")
    log_lines(second, {0: "of the second"}, context={"rank": 1, logs.WRITER_KEY: second.id})
    log_record(second, 0, level=logging.CRITICAL, message="other process")
    log_record(second, 1, message="no level")
    second.close()
    repository.new_run("empty").close()
    return repository


@pytest.fixture(name="run_logs")
def _run_logs(repository: Repository) -> RunLogs:
    """
    The logs of the run "example".
    """
    return RunLogs(repository.readers.reader("example"))


@pytest.mark.parametrize(
    ("start", "limit", "first", "expected"),
    [
        (0, 9, 0, ["first line", "\x1b[31mRed\x1b[0m LINE", "", "after a gap", "straße"]),
        (1, 2, 1, ["\x1b[31mRed\x1b[0m LINE", ""]),
        (3, 1, 3, ["after a gap"]),
        (-2, 9, 3, ["after a gap", "straße"]),
        (-99, 1, 0, ["first line"]),
        (5, 9, 5, []),
        (99, 9, 99, []),
        (0, 0, 0, []),
    ],
)
def test_lines_come_from_a_number_on(
    run_logs: RunLogs, start: int, limit: int, first: int, expected: Sequence[str]
) -> None:
    """
    Lines have the numbers that they were printed under, one that was never written is empty, and a negative start
    counts from the end.
    """
    assert (first, 5, list(expected)) == run_logs.lines(start, limit)
    assert 5 == run_logs.line_count()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("line", [0, 1]),
        ("LINE", [0, 1]),
        ("red line", [1]),
        ("31", []),
        ("STRASSE", [4]),
        ("", [0, 1, 3, 4]),
        ("no", []),
    ],
)
def test_lines_are_searched_without_case_and_colours(run_logs: RunLogs, text: str, expected: list[int]) -> None:
    """
    The numbers of the lines that contain the text come in order; codes of colours are no text.
    """
    assert expected == run_logs.find(text)


def test_at_most_a_thousand_matches_are_given(repository: Repository) -> None:
    """
    Beyond the bound the search ends.
    """
    writer = repository.new_run()
    log_lines(writer, dict.fromkeys(range(logs.MATCHES_MAX + 5), "same"))
    writer.close()

    assert list(range(logs.MATCHES_MAX)) == RunLogs(repository.readers.reader(writer.run_hash)).find("same")


def test_each_process_has_a_log(run_logs: RunLogs, repository: Repository) -> None:
    """
    The log without a context comes first; a label says the context and the process, and the id leads back to the log.
    """
    first, second = run_logs.all()

    assert [5, 1] == [first.lines, second.lines]
    assert [{}, 1] == [first.context, second.context["rank"]]
    assert second.label.startswith("rank=1 \u00b7 ")
    assert "process" in first.label
    one_log = RunLogs(repository.readers.reader("example"), second.id)
    assert (0, 1, ["of the second"]) == one_log.lines(0, 9)
    assert [second] == one_log.all()


def test_an_unknown_log_is_refused(repository: Repository) -> None:
    """
    The error has the id, cut where it is long.
    """
    with pytest.raises(NotFound) as caught:
        RunLogs(repository.readers.reader("example"), "x" * 50)

    assert f"The run has no log {'x' * 40!r}." == str(caught.value)


def test_records_of_all_processes_come_in_the_order_of_time(run_logs: RunLogs) -> None:
    """
    A record has its level by name, its message, args, file and line; what is not of its type is left out.
    """
    count, records = run_logs.records(0, 99, None)

    assert (5, 5) == (count, run_logs.record_count())
    assert ["begin", "watch out", "failed", "other process", "no level"] == [record.message for record in records]
    assert ["INFO", "WARNING", "ERROR", "CRITICAL", "INFO"] == [record.level for record in records]
    assert LogMessage(records[0].time_s, "INFO", "begin", {"lr": 0.1}, "a.py", 7) == records[0]
    assert (None, None, None) == (records[1].args, records[1].file, records[1].line)
    assert sorted(record.time_s for record in records) == [record.time_s for record in records]


@pytest.mark.parametrize(
    ("start", "limit", "level", "count", "expected"),
    [
        (0, 9, "warning", 3, ["watch out", "failed", "other process"]),
        (1, 1, "warning", 3, ["failed"]),
        (0, 9, "CRITICAL", 1, ["other process"]),
        (0, 2, "unknown", 5, ["begin", "watch out"]),
        (9, 9, None, 5, []),
    ],
)
def test_records_are_those_of_a_level_and_above(
    run_logs: RunLogs, start: int, limit: int, level: str | None, count: int, expected: list[str]
) -> None:
    """
    A level leaves out what is below it; the count is of all that are left.
    """
    answer = run_logs.records(start, limit, level)

    assert (count, expected) == (answer[0], [record.message for record in answer[1]])


def test_a_run_that_printed_nothing_has_no_lines(repository: Repository) -> None:
    """
    There is no log, no line and no record.
    """
    empty = RunLogs(repository.readers.reader("empty"))

    assert ([], (0, 0, []), [], (0, []), 0) == (
        empty.all(), empty.lines(0, 9), empty.find("a"), empty.records(0, 9, None), empty.record_count()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("level", "name", "number"), [(40, "ERROR", 40), ("debug", "DEBUG", 10), (35, "Level 35", 0), ("loud", "LOUD", 0)]
)
def test_levels_have_names_and_numbers(level: object, name: str, number: int) -> None:
    """
    A number has the name of logging, a text its upper case; a name that logging does not know counts as 0.
    """
    assert (name, number) == (level_name(level), level_number(level_name(level)))


def test_a_damaged_line_says_so(tmp_path: Path) -> None:
    """
    A line whose bytes were destroyed is shown as damaged, and is not searched for its text.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    log_lines(writer, {0: "whole", 1: "destroyed"})
    writer.close()
    (file,) = (path for path in (repository.files / "runs" / "example").iterdir() if b"destroyed" in path.read_bytes())
    file.write_bytes(file.read_bytes().replace(b"destroyed", b"DESTROYED"))
    run_logs = RunLogs(repository.readers.reader("example"))

    assert (0, 2, ["whole", logs.DAMAGED]) == run_logs.lines(0, 9)
    assert [] == run_logs.find("destroyed")
