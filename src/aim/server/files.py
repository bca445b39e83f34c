"""
Files as answers: whole or a range of bytes, as attachments, read piece by piece.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterator
from typing import IO

from starlette.responses import Response, StreamingResponse

from aim.server.answers import Refusal

CHUNK_BYTES = 1 << 18
FOREVER = "max-age=31536000, immutable"
"""The value of Cache-Control for an address whose content never changes."""
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
UNKNOWN_TYPE = "application/octet-stream"
SANDBOX_POLICY = "sandbox; default-src 'none'"
"""The policy of recorded bytes: a browser that opens them as a page runs no script and gives them no origin."""


def attachment(name: str) -> dict[str, str]:
    """
    Return the header that makes a browser save an answer under *name*.

    >>> attachment("mödel.pt")
    {'Content-Disposition': "attachment; filename*=UTF-8''m%C3%B6del.pt"}
    """
    safe = name.encode("utf-8", "replace")  # a file name may hold bytes that are not UTF-8
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{urllib.parse.quote(safe, safe='')}"}


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """
    Return the bytes that a Range header asks for, as the first and the one after the last; None: all.

    For several ranges in one header the whole is sent, which RFC 9110 (14.2) allows.

    Raises:
        Refusal: (416) the range is outside of the file.

    >>> byte_range("bytes=2-", 10), byte_range("bytes=-3", 10), byte_range(None, 10)
    ((2, 10), (7, 10), None)
    """
    match = RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    if match[1]:
        start, stop = int(match[1]), int(match[2]) + 1 if match[2] else size
    else:
        start, stop = max(0, size - int(match[2])), size
    stop = min(stop, size)
    if start >= stop:
        raise Refusal(416, "request", f"The range {match[0]} is outside of the {size:,} bytes.")
    return start, stop


def file_answer(file: IO[bytes], name: str, range_header: str | None) -> Response:
    """
    Return an open file as an attachment; it is closed after it was sent.

    Raises:
        Refusal: (416) the range is outside of the file.
    """
    size = file.seek(0, os.SEEK_END)
    try:
        span = byte_range(range_header, size)
    except Refusal:
        file.close()
        raise
    start, stop = span or (0, size)
    headers = {
        **attachment(name),
        "Accept-Ranges": "bytes",
        "Content-Length": str(stop - start),
        "Content-Security-Policy": SANDBOX_POLICY,
    }
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = 200 if span is None else 206
    return StreamingResponse(chunks(file, start, stop), status, headers=headers, media_type=UNKNOWN_TYPE)


def chunks(file: IO[bytes], start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Go through the bytes of an open file from *start* to before *stop*, and close it."""
    with file:
        file.seek(start)
        left = stop - start if stop is not None else None
        while chunk := file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)):
            yield chunk
            left = None if left is None else left - len(chunk)
