"""
`POST …/ship`: what shippers are answered.
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from pathlib import Path

import psutil
import pytest

from aim.server.answers import Refusal
from aim.server.ship import FLIGHT_BYTES_MAX, Receivers
from aim.storage.shipping.exchange import Exchange
from aim.storage.store import Store
from tests.server.conftest import Browser, MakeBrowser
from tests.storage.recorded import record
from tests.storage.shipping.raw_requests import WRITER, body_of, frame_of, header
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


BEGIN = json.dumps({"at": 1.0, "begin": {"writer": WRITER["writer"], "spool": True}}).encode() + b"\n"
NEW = {**WRITER, "begin": True}
BOMB = zlib.compress(bytes(256 << 20), 9)
HOSTILE = {
    "a bomb": body_of(header(), frame_of(pack=1, packed=BOMB, raw_bytes=100)),
    "a bomb that says its size": body_of(header(), frame_of(pack=1, packed=BOMB, raw_bytes=256 << 20)),
    "a million writers": body_of(header(writers=[{"run": "a", "writer": "8c2f01ab"}] * 1_000_000)),
    "a million files": body_of(header(files=[{}] * 1_000_000)),
    "a header of 4 GiB": b"AXS1" + struct.pack("<I", 0xFFFFFFFF) + b"{}",
    "a run above": body_of(header(writers=[{"run": "../../x", "writer": "8c2f01ab"}])),
    "a run that is a path": body_of(header(writers=[{"run": "/etc/x", "writer": "8c2f01ab"}])),
    "a writer above": body_of(header(writers=[{"run": "a", "writer": "../../x1"}])),
    "a slot at 4 GiB": body_of(header(), frame_of(kind=1, offset=(4 << 30) // 32, raw=bytes(28) + b"\1\0\0\0")),
    "a file of 2^48 bytes": body_of(header(), frame_of(kind=2, offset=(1 << 48) - 1)),
    **{
        f"a file named {name}": body_of(
            header(files=[{"name": name, "bytes": 2, "sha256": "0" * 64}]), frame_of(kind=kind)
        )
        for kind in (3, 4, 5)
        for name in ("../../x", "files/../../x", "/etc/x", "files/..\\x", "files/\0x", "files", "")
    },
}


def test_hostile_requests_are_refused_in_bounded_memory(browser: Browser, root: Path) -> None:
    """
    Bombs, a million writers, names that lead elsewhere and places beyond all files: each is an error of the request,
    little memory is taken, and nothing is written.
    """
    before = psutil.Process().memory_info().rss
    files = sorted(root.parent.rglob("*"))
    statuses = {
        name: browser.client.post(f"{browser.base}ship", content=body, headers=BYTES_TYPE).status_code
        for name, body in HOSTILE.items()
    }

    assert {400, 413} >= set(statuses.values()), statuses
    assert [] == [path for path in sorted(root.parent.rglob("*")) if path not in files and "runs" in path.parts]
    assert {path.parent for path in sorted(root.parent.rglob("*")) if path not in files} <= {root / ".aim"}
    grown_mib = (psutil.Process().memory_info().rss - before) >> 20
    assert grown_mib < 200  # this test itself sends 50 MB, and each bomb has 256 MiB


def test_a_place_4_gib_behind_the_end_of_a_file_is_asked_for_from_its_beginning(browser: Browser, root: Path) -> None:
    """
    The answer says how much of the file is there, and no file grows.
    """
    frames = (frame_of(raw=BEGIN), frame_of(kind=2, offset=4 << 30, raw=b"x" * 100))
    answer = post(browser, body_of(header(writers=[NEW]), *frames))

    assert [("behind", {"0": 0})] == [(state["state"], state["blobs"]) for state in answer["writers"]]  # type: ignore[attr-defined]
    assert 1 << 20 > sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


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
