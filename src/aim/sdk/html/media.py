"""
Objects in a notebook: pictures, sound, video, texts, histograms, tables, figures, 3D objects.

    image            the picture itself, up to 1 MiB of file; a larger one as WebP of at most 1024 pixels a side
    audio, video     with the browser's own controls, up to 8 MiB of file; else what it is and how large
    by reference     the small picture, and the address as text: nothing is fetched
    3D object        what it is and how large its file is
    figure           curves of its lines and markers as a still picture; plotly itself draws it where it is installed

A notebook keeps its outputs in its file, which is what the bounds are for. What can't be decoded is named in its
place and raises nothing, so one broken picture does not hide the others.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aim.core.errors import AimError
from aim.core.words import counted
from aim.engine.eight_bits import eight_bits
from aim.sdk.html.parts import (
    MUTED,
    ROWS_MAX,
    Html,
    and_more,
    block,
    captioned,
    data_uri,
    element,
    heading,
    joined,
    muted,
    notice,
    number,
    preformatted,
    short,
    size,
    table,
)

IMAGE_BYTES_MAX = 1 << 20
IMAGE_SIDE_MAX_PX = 1024
PLAYED_BYTES_MAX = 8 << 20
THUMB_SIDE_PX = 96
THUMB_BYTES_MAX = 16 << 10  # a file of no more is shown as it is
WEBP_QUALITY = 80
LIST_MAX = 8
TABLE_ROWS_MAX = 50
TABLE_COLUMNS_MAX = 30
BAR_PX = 4
BARS_WIDTH_MAX_PX, BARS_HEIGHT_PX = 320, 60
TRACES_MAX = 6
BOXES_MAX = 200
BOX_COLOR = "#ff5c33"
IMAGE_MIMES = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp", "gif": "gif", "bmp": "bmp"}
AUDIO_MIMES = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}


class Picture(Protocol):
    """What is asked of an image. `Image` is one."""

    caption: Any

    @property
    def format(self) -> str:
        """The format of the file."""

    @property
    def uri(self) -> str | None:
        """Where the original is, if not here."""

    @property
    def size(self) -> tuple[int, int]:
        """The width and height in pixels."""

    @property
    def boxes(self) -> Sequence[Mapping[str, Any]]:
        """The detected objects: `box` in pixels, perhaps `label` and `score`."""

    def local_bytes(self) -> bytes:
        """Return the bytes that need no network."""


class PlayedMedia(Protocol):
    """What is asked of sound and video."""

    caption: Any

    @property
    def format(self) -> str:
        """The format of the file."""

    @property
    def uri(self) -> str | None:
        """Where the original is, if not here."""

    def local_bytes(self) -> bytes:
        """Return the bytes that need no network."""


def image(picture: Picture) -> Html:
    """Return an image with its caption."""
    extent = _fitted(picture.size, IMAGE_SIDE_MAX_PX)
    return captioned(_over(picture, _img(picture, IMAGE_BYTES_MAX, IMAGE_SIDE_MAX_PX, extent)), picture.caption)


def _over(picture: Picture, img: Html) -> Html:
    # boxes lie over the picture as SVG, in its pixels
    width, height = picture.size
    if not picture.boxes or not (width and height):
        return img
    drawn = []
    for box in picture.boxes[:BOXES_MAX]:
        x, y, box_width, box_height = (float(edge) for edge in box["box"])
        tooltip = " ".join(short(box[key], 40) for key in ("layer", "label", "score") if key in box)
        drawn.append(element("rect", element("title", tooltip), x=x, y=y, width=box_width, height=box_height))
    style = f"position:absolute;left:0;top:0;width:100%;height:100%;fill:none;stroke:{BOX_COLOR};stroke-width:2px"
    lines = element("svg", *drawn, viewBox=f"0 0 {width} {height}", preserveAspectRatio="none", style=style)
    return element("div", img, lines, style="position:relative;display:inline-block;line-height:0")


def thumbnail(picture: Picture) -> Html:
    """Return an image of at most 96 pixels a side, without its caption."""
    return _img(picture, THUMB_BYTES_MAX, THUMB_SIDE_PX, _fitted(picture.size, THUMB_SIDE_PX))


def _fitted(extent: tuple[int, int], side_px: int) -> tuple[int, int]:
    # small pictures, such as digits of 28 x 28, keep their size
    share = min(1.0, side_px / max(*extent, 1))
    return max(1, round(extent[0] * share)), max(1, round(extent[1] * share))


def _img(picture: Picture, bytes_max: int, side_max_px: int, extent: tuple[int, int]) -> Html:
    try:
        data = picture.local_bytes()
        mime = IMAGE_MIMES.get("webp" if picture.uri is not None else picture.format.lower())
        if mime is None or len(data) > bytes_max:
            mime, data = "webp", scaled(data, side_max_px)
    except AimError as error:
        return notice(f"can't be shown: {error}")
    except (OSError, ValueError, SyntaxError):  # Pillow's, whose texts name a buffer in memory
        return notice("can't be shown: it is no picture")
    if not data:
        return notice(f"an image at {picture.uri}")
    width, height = extent if all(extent) else (None, None)
    style = "max-width:100%;height:auto;object-fit:contain;image-rendering:auto"
    title = f"{picture.size[0]} x {picture.size[1]} {picture.format}"
    return element(
        "img",
        src=data_uri(f"image/{mime}", data),
        alt=short(picture.caption),
        title=title,
        width=width,
        height=height,
        style=style,
    )


def scaled(data: bytes, side_max_px: int) -> bytes:
    """
    Return the first picture of an image file as WebP, no larger than *side_max_px* on either side.

    Raises:
        OSError, ValueError: it is no image.

    Cost: a jpeg of 4000 x 3000 about 20 ms, which is decoded at a smaller size.
    """
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as opened:
        opened.draft("RGB", (side_max_px, side_max_px))
        plain = eight_bits(opened)
        is_clear = plain.mode in ("RGBA", "LA", "PA") or "transparency" in plain.info
        plain = plain.convert("RGBA" if is_clear else "RGB")
        plain.thumbnail((side_max_px, side_max_px))
        made = io.BytesIO()
        plain.save(made, "webp", quality=WEBP_QUALITY, method=2)
        return made.getvalue()


def audio(sound: PlayedMedia, description: str) -> Html:
    """Return sound with the browser's controls; *description* says what it is."""
    mime = AUDIO_MIMES.get(sound.format)
    data, reason = _played(sound)
    if data is None or mime is None:
        return captioned(_named("audio", description, reason), sound.caption)
    return captioned(element("audio", controls="", src=data_uri(mime, data)), sound.caption)


def video(film: PlayedMedia, description: str) -> Html:
    """Return a video with the browser's controls, a gif as a picture that moves; *description* says what it is."""
    data, reason = _played(film)
    if data is None:
        return captioned(_named("video", description, reason), film.caption)
    source = data_uri("image/gif" if film.format == "gif" else f"video/{film.format}", data)
    if film.format == "gif":
        return captioned(element("img", src=source, alt=short(film.caption), style="max-width:100%"), film.caption)
    player = element("video", controls="", loop="", muted="", src=source, style="max-width:100%")
    return captioned(player, film.caption)


def object3d(body: PlayedMedia, description: str) -> Html:
    """Return what a 3D object is and how large its file is; the pages turn it."""
    data, reason = _played(body)
    return captioned(_named("3D object", description, reason if data is None else size(len(data))), body.caption)


def _played(media: PlayedMedia) -> tuple[bytes | None, str]:
    if media.uri is not None:
        return None, f"at {media.uri}"
    try:
        data = media.local_bytes()
    except (AimError, OSError) as error:
        return None, f"can't be read: {error}"
    if len(data) > PLAYED_BYTES_MAX:
        return None, f"{size(len(data))}: more than the {size(PLAYED_BYTES_MAX)} that a notebook takes. Use get()."
    return data, ""


def _named(kind: str, description: str, reason: str) -> Html:
    return joined([element("b", kind), f" {description} ", muted(reason)])


def text(content: str) -> Html:
    """Return a text with its lines."""
    return preformatted(content)


def distribution(weights: Sequence[float], low: float, high: float, ignored_count: int = 0) -> Html:
    """Return a histogram, with its lowest and highest edge."""
    from aim.sdk.html.charts import bars

    width_px = min(BAR_PX * max(len(weights), 1), BARS_WIDTH_MAX_PX)
    style = f"display:flex;justify-content:space-between;font-size:11px;width:{width_px}px;{MUTED}"
    edges = element("div", element("span", number(low)), element("span", number(high)), style=style)
    said = counted(ignored_count, "sample was NaN or infinite", "samples were NaN or infinite") if ignored_count else ""
    return captioned(joined([bars(weights, width_px, BARS_HEIGHT_PX), edges, muted(said) if said else ""]), "")


def rows(columns: Sequence[str], cells: Sequence[Sequence[Any]], caption: object) -> Html:
    """Return a table with its objects in small; 50 rows and 30 columns of it."""
    shown_columns = list(columns[:TABLE_COLUMNS_MAX])
    left_out = len(columns) - len(shown_columns)
    body = [[cell(value) for value in row[:TABLE_COLUMNS_MAX]] for row in cells[:TABLE_ROWS_MAX]]
    above = element("div", str(caption), style="font-weight:600") if caption != "" else ""
    beside = element("div", f"{left_out} more columns", style=MUTED) if left_out else ""
    return block(above, table(shown_columns, body, len(cells) - len(body)), beside)


def cell(value: Any) -> str:
    """Return a cell of a table: an image in small, any other object by its name, and values as text."""
    if value is None:
        return ""
    small = getattr(value, "_thumb_html_", None)
    if small is not None:
        return Html(small())
    return short(value)


def several(objects: Sequence[Any]) -> Html:
    """Return the objects of one step side by side, eight of them."""
    drawn = [part(member) for member in objects[:LIST_MAX]]
    return joined([*drawn, and_more(len(objects) - len(drawn))])


def part(member: Any) -> Html:
    """Return one object as it shows itself, in small where it can."""
    small = getattr(member, "_thumb_html_", None)
    if small is not None:
        return captioned(small(), getattr(member, "caption", ""))
    whole = getattr(member, "_repr_html_", None)
    return Html(whole()) if whole is not None else element("span", short(member))


def figure(plotly_json: str) -> Html:
    """Return a figure of plotly as a still picture of its lines and markers; other traces are named."""
    try:
        drawn = json.loads(plotly_json)
    except ValueError as error:
        return notice(f"no figure: {error}")
    title = _title(drawn.get("layout") or {})
    traces = [trace for trace in drawn.get("data") or [] if isinstance(trace, dict)]
    kinds = ", ".join(dict.fromkeys(str(trace.get("type", "scatter")) for trace in traces))
    summary = f"{counted(len(traces), 'trace')}: {kinds}" if kinds else "empty"
    head = heading("figure", title or "plotly", muted(summary))
    return block(head, _still(traces))


def _title(layout: Mapping[str, Any]) -> str:
    title = layout.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    return text if isinstance(text, str) else ""


def _still(traces: Sequence[Mapping[str, Any]]) -> Html:
    import numpy as np

    from aim.sdk.html.charts import curves

    series = []
    for trace in traces:
        y = _numbers(trace.get("y"))
        if trace.get("type", "scatter") not in ("scatter", "scattergl", "bar") or y is None or not len(y):
            continue
        x = _numbers(trace.get("x"))
        if x is None or len(x) != len(y):
            x = np.arange(len(y), dtype=np.float64)
        order = np.argsort(x, kind="stable")
        series.append((str(trace.get("name") or ""), x[order], y[order]))
    return joined([curves(series[:TRACES_MAX]) if series else Html(""), and_more(len(series) - TRACES_MAX)])


def _numbers(values: Any) -> Any:
    # plotly 6 writes arrays as base64 of their bytes
    import base64

    import numpy as np

    if isinstance(values, dict) and "bdata" in values and "dtype" in values:
        try:
            flat = np.frombuffer(base64.b64decode(str(values["bdata"])), np.dtype(f"<{values['dtype']}"))
        except (ValueError, TypeError):
            return None
        return flat.astype(np.float64)
    if not isinstance(values, list):
        return None
    try:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    except (ValueError, TypeError):
        return None


def unknown(kind: str, fields: Mapping[str, Any]) -> Html:
    """Return what is known of an object of another version's kind."""
    rows = [[name, short(value)] for name, value in list(fields.items())[:ROWS_MAX]]
    return block(heading(kind, "of a kind that this version does not know"), table(["", ""], rows))
