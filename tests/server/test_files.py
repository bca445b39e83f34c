"""
Files as answers: which bytes a Range header asks for, and what is sent of an open file.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from aim.server import files
from aim.server.answers import Refusal
from aim.server.files import CHUNK_BYTES, attachment, byte_range, chunks, file_answer
from tests.apart import apart

SIZE = 10


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=3-5", (3, 6)),
        (" bytes=3-5 ", (3, 6)),
        ("bytes=9-", (9, 10)),
        ("bytes=9-99", (9, 10)),
        ("bytes=-1", (9, 10)),
        ("bytes=-10", (0, 10)),
        ("bytes=-11", (0, 10)),
        ("bytes=-", None),
        ("bytes=1-2,4-5", None),
        ("items=1-2", None),
        ("bytes=x-2", None),
        ("bytes=" + "9" * 19 + "-", None),
    ],
)
def test_a_range_is_the_bytes_that_a_header_asks_for(header: str | None, expected: tuple[int, int] | None) -> None:
    """What is no range of bytes, and several ranges at once, ask for the whole (RFC 9110, 14.2)."""
    assert expected == byte_range(header, SIZE)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=11-12", "bytes=5-4", "bytes=-0"])
def test_a_range_outside_of_the_file_is_refused(header: str) -> None:
    """The answer is 416 and says how many bytes there are."""
    with pytest.raises(Refusal, match=re.escape(f"The range {header} is outside of the 10 bytes.")) as caught:
        byte_range(header, SIZE)
    assert (416, "request") == (caught.value.status, caught.value.body["kind"])


@pytest.mark.parametrize("header", [None, "bytes=0-0"])
def test_every_range_of_an_empty_file_is_outside(header: str | None) -> None:
    """An empty file is sent as a whole only."""
    if header is None:
        assert byte_range(header, 0) is None
    else:
        with pytest.raises(Refusal):
            byte_range(header, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.pt", "model.pt"),
        ("a b;c.txt", "a%20b%3Bc.txt"),
        ("x/y.txt", "x%2Fy.txt"),
        ('"\r\nSet-Cookie: a', "%22%0D%0ASet-Cookie%3A%20a"),
        ("\udc80.bin", "%3F.bin"),
    ],
)
def test_a_file_name_can_not_end_the_header(name: str, expected: str) -> None:
    """Quotes, line ends and bytes that are no UTF-8 are escaped."""
    assert {"Content-Disposition": f"attachment; filename*=UTF-8''{expected}"} == attachment(name)


def sent(answer: Response) -> bytes:
    """Return the body that an answer sends."""
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        messages.append(message)
        await asyncio.sleep(0)

    apart(answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send))
    return b"".join(message.get("body", b"") for message in messages)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7])
def test_a_file_is_sent_whole_and_closed(size: int, tmp_path: Path) -> None:
    """A browser saves it under its name, and runs nothing of it."""
    content = bytes(index % 251 for index in range(size))
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    file = path.open("rb")
    answer = file_answer(file, "model.pt", None)
    assert (content, True) == (sent(answer), file.closed)
    assert (200, str(size), "bytes", "application/octet-stream") == (
        answer.status_code,
        answer.headers["content-length"],
        answer.headers["accept-ranges"],
        answer.headers["content-type"],
    )
    assert "content-range" not in answer.headers
    assert ("sandbox; default-src 'none'", "attachment; filename*=UTF-8''model.pt") == (
        answer.headers["content-security-policy"],
        answer.headers["content-disposition"],
    )


def test_a_range_of_a_file_says_which_it_is(tmp_path: Path) -> None:
    """206 with the first and the last byte, counted from 0, and the size of the whole."""
    path = tmp_path / "model.pt"
    path.write_bytes(b"0123456789")
    answer = file_answer(path.open("rb"), "model.pt", "bytes=2-4")
    assert (b"234", 206, "bytes 2-4/10", "3") == (
        sent(answer),
        answer.status_code,
        answer.headers["content-range"],
        answer.headers["content-length"],
    )


def test_a_file_whose_range_is_refused_is_closed(tmp_path: Path) -> None:
    """No descriptor stays open for a wrong request."""
    path = tmp_path / "model.pt"
    path.write_bytes(b"0123456789")
    file = path.open("rb")
    with pytest.raises(Refusal):
        file_answer(file, "model.pt", "bytes=10-")
    assert file.closed


@pytest.mark.parametrize(("start", "stop"), [(0, None), (0, 10), (3, 7), (3, None), (9, 10), (4, 4)])
def test_chunks_are_no_larger_than_the_limit(
    start: int, stop: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces together are the bytes asked for."""
    monkeypatch.setattr(files, "CHUNK_BYTES", 3)
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    pieces = list(chunks(path.open("rb"), start, stop))
    assert b"0123456789"[start:stop] == b"".join(pieces)
    assert all(1 <= len(piece) <= 3 for piece in pieces)
    assert -(-len(b"0123456789"[start:stop]) // 3) == len(pieces)
