"""
`POST …/ship`: what shippers are answered.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aim.server.answers import Refusal
from aim.server.ship import FLIGHT_BYTES_MAX, Receivers
from aim.storage.shipping.exchange import Exchange
from aim.storage.store import Store
from tests.server.conftest import Browser, MakeBrowser
from tests.storage.recorded import record
from tests.storage.shipping.wires import recorded_bytes, shipments_of

BYTES_TYPE = {"content-type": "application/octet-stream"}


@pytest.fixture(name="browser")
def _browser(root: Path, make_browser: MakeBrowser) -> Browser:
    """
    A client of a server whose repository is empty.
    """
    Store(root / ".aim", create=True)
    return make_browser()


DEADLINE_S = 60.0


def post(browser: Browser, body: bytes, status: int = 200, **headers: str) -> dict[str, object]:
    """Post a request that ships, check the status of the answer, and return its JSON."""
    answer = browser.client.post(f"{browser.base}ship", content=body, headers={**BYTES_TYPE, **headers})
    assert status == answer.status_code, answer.text
    parsed: dict[str, object] = answer.json()
    return parsed


def test_what_is_shipped_becomes_durable(browser: Browser, root: Path, tmp_path: Path) -> None:
    """
    A run that is shipped is there with the answer, and durable soon after.
    """
    local = Store(tmp_path / "local" / ".aim", create=True)
    record(local.runs / "digits-1")
    shipments = shipments_of(local)
    exchange = Exchange("node7")
    end_s = time.monotonic() + DEADLINE_S
    while (request := exchange.gather(shipments, asks=True)) is not None and time.monotonic() < end_s:
        answer = post(browser, request.body)
        assert {"server", "number", "durable", "next_in", "writers"} == answer.keys()
        assert [] == exchange.accept(answer)

    assert all(shipment.is_finished() for shipment in shipments)
    assert recorded_bytes(local) == recorded_bytes(Store(root / ".aim"))


def test_a_damaged_request_is_answered_400(browser: Browser) -> None:
    """
    The kind of the error is `protocol`, and nothing is written.
    """
    assert "protocol" == post(browser, b"AXS1\0\0", status=400)["kind"]


def test_another_version_is_answered_426(browser: Browser) -> None:
    """
    A client of another version of the protocol learns which side to upgrade.
    """
    body = b'AXS1\x0e\0\0\0{"protocol":9}'
    answer = post(browser, body, status=426)

    assert "Upgrade the older of the two" in str(answer["message"])


def test_a_body_of_another_type_is_refused(browser: Browser) -> None:
    """
    A form, which any page could post, is no request that ships.
    """
    post(browser, b"x", status=415, **{"content-type": "application/x-www-form-urlencoded"})


def test_a_body_that_is_too_large_is_refused_by_its_length(browser: Browser) -> None:
    """
    It is refused before it is read.
    """
    assert "18,874,368 bytes" in str(post(browser, bytes(19 << 20), status=413)["message"])


def test_what_arrives_at_one_moment_is_bounded() -> None:
    """
    Beyond 64 MiB in flight a request is refused with 503, until others are answered.
    """
    receivers = Receivers()
    receivers.board(FLIGHT_BYTES_MAX)
    with pytest.raises(Refusal) as refused:
        receivers.board(1)
    receivers.leave(FLIGHT_BYTES_MAX)
    receivers.board(1)

    assert 503 == refused.value.status


def test_many_shippers_are_asked_to_pause_longer() -> None:
    """
    One shipper comes once a second, three thousand once in six, and nobody less than once in ten.
    """
    receivers = Receivers()
    pauses = [receivers.next_in_s(f"{number:016x}") for number in range(8000)]

    assert [1.0, 6.0, 10.0] == [pauses[0], pauses[2999], pauses[-1]]
