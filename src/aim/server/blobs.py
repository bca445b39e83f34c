"""
The bytes of objects, and thumbnails of images. Specified in docs/formats/wire.md, section 6.

The bytes of an address never change, so browsers may cache them for ever. Formats that can hold scripts (SVG, HTML) are
sent with a type that no browser runs.
"""

from __future__ import annotations

import contextlib
import io
import threading

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aim.core.recent import MEMORY, Recent
from aim.engine.eight_bits import eight_bits
from aim.engine.media import Blob, StoredBytes, check_not_deleted, open_large, read_blob
from aim.server.answers import wrong
from aim.server.files import CHUNK_BYTES, FOREVER, SANDBOX_POLICY, UNKNOWN_TYPE, byte_range
from aim.server.object_forms import format_of
from aim.server.open_repository import OpenRepository
from aim.server.requests import whole_param
from aim.server.server_state import in_thread, repo_of, server_of

MEDIA_TYPES = {
    "aim.image": {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "webp": "image/webp",
        "gif": "image/gif",
        "bmp": "image/bmp",
        "tiff": "image/tiff",
    },
    "aim.audio": {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac"},
    "aim.object3d": {
        "glb": "model/gltf-binary",
        "gltf": "model/gltf+json",
        "obj": "model/obj",
        "stl": "model/stl",
        "ply": "application/octet-stream",
    },
    "aim.video": {"mp4": "video/mp4", "webm": "video/webm", "gif": "image/gif"},
}
PLAIN_TYPES = {"aim.text": "text/plain; charset=utf-8", "aim.figure": "application/json"}
PREVIEW = "preview"
SHOWN_FORMATS = frozenset({"png", "jpeg", "webp", "gif", "bmp"})  # the image formats that every browser shows
WIDTHS = (64, 128, 256, 512)
CACHE_BYTES_MAX = 64 << 20
STREAMED_BYTES_MIN = 1 << 20  # a smaller object is checked as a whole before it is sent
PIXELS_MAX = 89_000_000  # Pillow itself warns of larger images
PIXELS_AT_ONCE = 16_000_000  # larger images are decoded one at a time: each takes up to a gigabyte
IMAGE_FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "GIF",
    "BMP",
    "TIFF",
)  # of the others some run programs (EPS)
QUALITY = 80
PNG_LEVEL = 1  # the preview is made again when it is forgotten: time counts more than size

_large = threading.Lock()


def type_of(blob: Blob | StoredBytes) -> str:
    """
    Return the type under which a browser gets the bytes.

    >>> type_of(Blob("aim.image", {"format": "PNG"}, b"")), type_of(Blob("aim.image", {"format": "svg"}, b""))
    ('image/png', 'application/octet-stream')
    """
    media_type = MEDIA_TYPES.get(blob.kind, {}).get(format_of(blob.fields))
    return media_type or PLAIN_TYPES.get(blob.kind, UNKNOWN_TYPE)


def immutable(request: Request) -> dict[str, str]:
    """Return the header that lets a browser cache an answer for ever; with a token proxies may not cache it."""
    scope = "public" if server_of(request).settings.token is None else "private"
    return {"Cache-Control": f"{scope}, {FOREVER}"}


async def blob(request: Request) -> Response:
    """Answer `GET …/blobs/<blob>`."""
    repo = repo_of(request)
    part, form = request.query_params.get("part"), request.query_params.get("as")
    if form not in (None, "", PREVIEW):
        raise wrong(f"`as` must be {PREVIEW}, got {form[:40]!r}.")
    address = request.path_params["blob"]
    if part is None and form != PREVIEW:
        large = await in_thread(request, open_large, repo.repository, address, STREAMED_BYTES_MIN)
        if large is not None:
            return await in_thread(request, _streamed, request, large)
    stored = await in_thread(request, read_blob, repo.repository, address, part)
    if form == PREVIEW and stored.kind == "aim.image" and format_of(stored.fields) not in SHOWN_FORMATS:
        thumbnails: Thumbnails = request.app.state.thumbnails
        content = await in_thread(request, thumbnails.preview, repo, f"{address}/{part or ''}", stored.data)
        stored = Blob(stored.kind, {"format": "png"}, content)
    headers = _headers(request)
    span = byte_range(request.headers.get("range"), len(stored.data))
    if span is None:
        return Response(stored.data, headers=headers, media_type=type_of(stored))
    start, stop = span
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(stored.data)}"
    return Response(stored.data[start:stop], 206, headers=headers, media_type=type_of(stored))


def _headers(request: Request) -> dict[str, str]:
    return {
        **immutable(request),
        "Content-Disposition": "inline",
        "Accept-Ranges": "bytes",
        "Content-Security-Policy": SANDBOX_POLICY,
    }


def _streamed(request: Request, stored: StoredBytes) -> Response:
    """
    Return the answer that has a large object or a range of it, read piece by piece.

    Where the whole is damaged, the answer ends before its last piece, which browsers show as a failed download.
    """
    headers, media_type = _headers(request), type_of(stored)
    span = byte_range(request.headers.get("range"), stored.size_bytes)
    if span is None:
        headers["Content-Length"] = str(stored.size_bytes)
        return StreamingResponse(stored.chunks(CHUNK_BYTES), headers=headers, media_type=media_type)
    start, stop = span
    headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{stored.size_bytes}", "Content-Length": str(stop - start)}
    pieces = (stored.part(at, min(at + CHUNK_BYTES, stop)) for at in range(start, stop, CHUNK_BYTES))
    return StreamingResponse(pieces, 206, headers=headers, media_type=media_type)


class Thumbnails:
    """A cache of thumbnails."""

    def __init__(self) -> None:
        self._made: Recent[tuple[str, str, int], bytes] = Recent(CACHE_BYTES_MAX, len, bound=MEMORY)

    def get(self, repo: OpenRepository, address: str, width: int) -> bytes:
        """
        Return an image as WebP, at most *width* pixels wide.

        Raises:
            NotFound, DamagedFile: see `read_blob`.
            Refusal: the object is not an image that can be read.
        """
        check_not_deleted(repo.repository, address)
        key = (repo.id, address, width)
        made = self._made.lookup(key)
        if made is not None:
            return made
        stored = read_blob(repo.repository, address)
        if stored.kind != "aim.image":
            raise wrong("Only images have thumbnails.")
        return self._made.put(key, None, thumbnail(stored.data, width))

    def preview(self, repo: OpenRepository, name: str, data: bytes) -> bytes:
        """Return the image *data* as a PNG of 8 bits in full size; *name* names it for good. Raises Refusal."""
        key = (repo.id, name, 0)
        made = self._made.lookup(key)
        return made if made is not None else self._made.put(key, None, thumbnail(data))


def thumbnail(data: bytes, width: int | None = None) -> bytes:
    """
    Return an image as WebP, scaled down to *width* pixels; a narrower image keeps its size.

    Args:
        width: None for a PNG in full size.

    Raises:
        Refusal: these are not the bytes of an image, or the image has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    bombs = (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    )  # warnings can be set to raise
    try:
        with contextlib.ExitStack() as held:
            image = held.enter_context(Image.open(io.BytesIO(data), formats=IMAGE_FORMATS))
            if image.width * image.height > PIXELS_MAX:
                raise wrong(f"The image has {image.width} x {image.height} pixels: too many for a thumbnail.")
            if image.width * image.height > PIXELS_AT_ONCE:
                held.enter_context(_large)
            height = max(1, round(image.height * (width or image.width) / image.width))
            if width is not None and image.width > width:
                image.draft("RGB", (width, height))
            plain = eight_bits(image)
            is_clear = plain.mode in ("RGBA", "LA", "PA") or "transparency" in plain.info
            plain = plain.convert("RGBA" if is_clear else "RGB")
            made = io.BytesIO()
            if width is None:
                plain.save(made, "PNG", compress_level=PNG_LEVEL)
                return made.getvalue()
            if plain.width > width:
                plain = plain.resize(
                    (width, height), Image.Resampling.BOX if plain.width > 4 * width else Image.Resampling.LANCZOS
                )
            plain.save(made, "WEBP", quality=QUALITY, method=2)
            return made.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, *bombs) as error:
        raise wrong(f"This image can't be shown: {error}.") from None


async def thumb(request: Request) -> Response:
    """Answer `GET …/thumbs/<blob>?w=256`."""
    requested_px = whole_param(request, "w", 256, 1, 10_000)
    width = next((width for width in WIDTHS if width >= requested_px), WIDTHS[-1])
    thumbnails: Thumbnails = request.app.state.thumbnails
    content = await in_thread(request, thumbnails.get, repo_of(request), request.path_params["blob"], width)
    return Response(content, headers=immutable(request), media_type="image/webp")
