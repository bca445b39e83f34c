"""
What works beside a writer: in which order it records and stops, and how little its failures cost.
"""

from __future__ import annotations

import errno

import pytest

from aim.storage.recording.services import Services


class Bell:
    """A service that notes what it is asked, and fails where a test wants it."""

    def __init__(self, name: str, heard: list[str], error: Exception | None = None) -> None:
        self.name = name
        self.heard = heard
        self.error = error
        self.deadlines_s: list[float] = []

    def _hear(self, text: str) -> None:
        self.heard.append(f"{self.name} {text}")
        if self.error is not None:
            raise self.error

    def record_pending(self, *, wait: bool) -> None:
        """Note the call."""
        self._hear(f"record, wait={wait}")

    def stop(self, deadline_s: float) -> None:
        """Note the call."""
        self.deadlines_s.append(deadline_s)
        self._hear("stop")

    def forked(self) -> None:
        """Note the call."""
        self._hear("forked")


class Witness(Bell):
    """A service that wants to hear of the failure."""

    def failed(self, error: BaseException) -> None:
        """Note the exception."""
        self._hear(f"failed: {error!r}")


@pytest.fixture(name="heard")
def _heard() -> list[str]:
    return []


def both(heard: list[str], error: Exception | None = None) -> Services:
    """Return two services; the first one fails with *error*."""
    services = Services()
    services.add(Bell("a", heard, error))
    services.add(Witness("b", heard))
    return services


def test_services_record_in_their_order_and_stop_in_the_opposite_one(heard: list[str]) -> None:
    """
    What a later service hands to an earlier one when it stops is still recorded; after the stop there is none left.
    """
    services = both(heard)
    services.record_pending()
    services.record_pending(wait=True)
    services.failed(KeyError("x"))
    services.stop(1.0)
    services.stop(1.0)
    services.record_pending()

    assert [
        "a record, wait=False", "b record, wait=False", "a record, wait=True", "b record, wait=True",
        "b failed: KeyError('x')", "b stop", "a stop",
    ] == heard  # fmt: skip


def test_a_child_of_a_fork_has_no_services(heard: list[str]) -> None:
    """
    Each service hears of the fork once, and then is gone.
    """
    services = both(heard)
    services.forked()
    services.forked()
    services.stop(1.0)

    assert ["a forked", "b forked"] == heard


@pytest.mark.parametrize("deadline_s", [5.0, 0.0, -3.0])
def test_all_services_share_one_deadline(heard: list[str], deadline_s: float) -> None:
    """
    The one that stops later has what is left, and never less than nothing.
    """
    bells = [Bell(name, heard) for name in "ab"]
    services = Services()
    for bell in bells:
        services.add(bell)
    services.stop(deadline_s)
    (last,), (first,) = (bell.deadlines_s for bell in bells)

    assert 0.0 <= last <= first <= max(0.0, deadline_s)


@pytest.mark.parametrize(
    ("error", "has_traceback"),
    [(ValueError("broken"), True), (OSError(errno.EIO, "Input/output error", "x.log"), False)],
)
def test_a_service_that_fails_is_reported_once_and_stops_no_other(
    heard: list[str], caplog: pytest.LogCaptureFixture, error: Exception, has_traceback: bool
) -> None:
    """
    Each kind of exception is reported once, with where it was raised unless its text says so; the others go on.
    """
    services = both(heard, error)
    for _ in range(3):
        services.record_pending()
    services.stop(1.0)

    assert 3 * ["a record, wait=False", "b record, wait=False"] + ["b stop", "a stop"] == heard
    assert [has_traceback] == [record.exc_info is not None for record in caplog.records]
    assert has_traceback or "recording goes on: [Errno 5] Input/output error: 'x.log'" in caplog.text


def test_each_kind_of_failure_is_reported(heard: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """
    Another kind of exception is another report.
    """
    services = Services()
    for error in (ValueError("x"), KeyError("y"), ValueError("z")):
        services.add(Bell("a", heard, error))
    services.record_pending()

    assert 2 == len(caplog.records)
