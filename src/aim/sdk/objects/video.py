"""
Video.

    made from                                      kept as
    a path, the bytes of a file, an open file      the file's own bytes: mp4, webm or gif
    `Video.from_uri(address)`                      the address; see `references`
    frames: an array or tensor, or a list          mp4 when imageio with its ffmpeg is installed, else gif;
    of arrays, tensors or Pillow images            or as *format* says

    frames of numpy, tensorflow, jax    (frames, h, w) or (frames, h, w, channels)
    frames of torch                     (frames, h, w) or (frames, channels, h, w)

Values are those of images (see `pixels`), with one rule for all frames, so that a video does not flicker.

    field                     meaning
    format                    mp4, webm or gif
    width, height, in pixels  of frames and of gif
    fps, frame_count          of frames
    caption                   left out when it is ''

A GIF tells time in hundredths of a second: each frame ends at the hundredth next to its true end, so that the whole is
as long as it should be. Browsers show no GIF faster than 50 frames a second.
"""

from __future__ import annotations

import importlib.util
import io
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import UntrackableValue, WrongType
from aim.core.values import is_number
from aim.sdk.objects.custom import Content
from aim.sdk.objects.encodings import check_size
from aim.sdk.objects.media_file import MediaFile
from aim.sdk.objects.pixels import CHANNEL_COUNT_MAX, levels, pixels_of
from aim.sdk.objects.recognise import is_array, is_pil_image, is_torch_tensor, numpy_of
from aim.sdk.objects.sources import is_file_source

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image
    from numpy.typing import NDArray

FPS_DEFAULT = 10
FPS_MAX = 1000
CODECS = {"mp4": "libx264", "webm": "libvpx-vp9"}


class Video(MediaFile):
    """
    One video.

    Args:
        data: frames, or a path, the bytes or an open file of an mp4, webm or gif.
        format: mp4, webm or gif. For a file it may be left out when the path's ending or the first bytes tell.
        caption: any text; can be set later.
        fps: frames a second, of frames; 10 if not given.

    Raises:
        UntrackableValue: (a ValueError) an unknown format, no file there, frames that are no pictures, or a format that
            needs imageio where it is not installed.
        WrongType: (a TypeError) *data* is something else.

    Cost: a copy of the frames; the file is made at the first `stored()`: of 128 x 128 a frame of mp4 in 1.1 ms, of webm
    in 1.6 ms, of gif in 8 ms. Measured by bench/objects.py.

    >>> import numpy as np
    >>> video = Video(np.zeros((20, 8, 8, 3)), format="gif", fps=10)
    >>> video.frame_count, video.size, video.fps
    (20, (8, 8), 10.0)
    """

    AIM_NAME: ClassVar[str] = "aim.video"
    SUBJECT: ClassVar[str] = "video"
    FORMATS: ClassVar[tuple[str, ...]] = ("mp4", "webm", "gif")

    def __init__(self, data: Any, format: str = "", caption: Any = "", fps: float | None = None) -> None:
        format_asked = self._format_asked(format)
        if is_file_source(data) and not is_array(data):
            fields, content = _of_file(*self._of_source(data, format_asked))
        elif is_array(data) or (isinstance(data, (list, tuple)) and data):
            fields, content = _of_frames(data, format_asked, fps)
        else:
            raise WrongType(
                f"Video can't be made from a {type(data).__module__}.{type(data).__qualname__}. "
                "Pass frames, a path, the bytes of a file, or an open file."
            )
        super().__init__(fields, content)
        self.caption = caption

    @property
    def size(self) -> tuple[int, int] | None:
        """The width and height in pixels, where they are known: of frames and of gif."""
        width, height = self._fields.get("width"), self._fields.get("height")
        return None if width is None or height is None else (int(width), int(height))

    @property
    def fps(self) -> float | None:
        """Frames a second of a video made from frames; None for files."""
        return self._fields.get("fps")

    @property
    def frame_count(self) -> int | None:
        """The number of frames of a video made from frames; None for files."""
        return self._fields.get("frame_count")

    def json(self) -> dict[str, Any]:
        """Return caption, format, and what is known of width, height, fps and frame_count."""
        return {"caption": self.caption, **self._fields}

    def __repr__(self) -> str:
        size = f" {self.size[0]}x{self.size[1]}" if self.size else ""
        return f"<Video {self.format}{size}{f' {self.caption!r}' if self.caption != '' else ''}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media

        return media.video(self, repr(self))


def has_encoder() -> bool:
    """Return whether imageio and its ffmpeg are installed, so that frames can become mp4 and webm."""
    return all(importlib.util.find_spec(name) is not None for name in ("imageio", "imageio_ffmpeg"))


def _of_file(name: str, data: bytes) -> tuple[dict[str, Any], Content]:
    fields: dict[str, Any] = {"format": name}
    if name == "gif" and data[:4] == b"GIF8" and len(data) >= 10:
        fields["width"], fields["height"] = (
            int.from_bytes(data[position : position + 2], "little") for position in (6, 8)
        )
    return fields, Content.of(data)


def _of_frames(data: Any, format_asked: str, fps: float | None) -> tuple[dict[str, Any], Content]:
    rate: float = FPS_DEFAULT if fps is None else fps
    if not is_number(rate) or not 0 < rate <= FPS_MAX:
        raise UntrackableValue(
            f"fps is {fps!r}; expected a number of frames a second, more than 0 and at most {FPS_MAX}."
        )
    format = format_asked or ("mp4" if has_encoder() else "gif")
    if format != "gif" and not has_encoder():
        raise UntrackableValue(
            f"frames become {format} with the packages imageio and imageio-ffmpeg, which are not installed "
            "(pip install 'imageio[ffmpeg]'). Or use format='gif'."
        )
    frames = _stacked(data)
    count, height, width = frames.shape[:3]
    check_size(format, width, height)
    fields = {"format": format, "width": width, "height": height, "fps": float(rate), "frame_count": count}
    return fields, Content(partial(_gif if format == "gif" else _film, frames, float(rate), format))


def _stacked(data: Any) -> NDArray[np.generic]:
    """Copy frames as an array (frames, h, w) or (frames, h, w, channels) of values that images have."""
    import numpy as np

    if isinstance(data, (list, tuple)):
        array, is_first = _stack_of_list(data)
    else:
        array, is_first = numpy_of(data), is_torch_tensor(data)
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise UntrackableValue(
            f"an array of shape {array.shape} is no video: expected (frames, h, w) or (frames, h, w, channels)."
        )
    if array.ndim == 4:
        can_first, can_last = array.shape[1] <= CHANNEL_COUNT_MAX, array.shape[3] <= CHANNEL_COUNT_MAX
        if can_first and (is_first or not can_last):
            array = array.transpose(0, 2, 3, 1)
        if not (can_first or can_last):
            raise UntrackableValue(
                f"an array of shape {array.shape} is no video: frames have 1 to {CHANNEL_COUNT_MAX} channels."
            )
    count, height, width = array.shape[:3]
    # One below the other the frames are one picture, and one rule holds for the values of all.
    tall = pixels_of(np.reshape(array, (count * height, width, *array.shape[3:])))
    return tall.reshape(count, height, width, *tall.shape[2:])


def _stack_of_list(frames: list[Any] | tuple[Any, ...]) -> tuple[NDArray[Any], bool]:
    import numpy as np

    arrays = []
    for index, frame in enumerate(frames):
        if is_pil_image(frame):
            arrays.append(np.asarray(frame.convert("RGB")))
        elif is_array(frame):
            arrays.append(numpy_of(frame))
        else:
            raise WrongType(
                f"frame {index} is a {type(frame).__module__}.{type(frame).__qualname__}; "
                "expected an array, a tensor or an image of Pillow."
            )
        if arrays[index].shape != arrays[0].shape:
            raise UntrackableValue(
                f"frame {index} has shape {arrays[index].shape} and frame 0 has {arrays[0].shape}; they have to agree."
            )
    return np.stack(arrays), is_torch_tensor(frames[0])


def _bytes_of(frames: NDArray[np.generic]) -> NDArray[Any]:
    """Return the frames as uint8."""
    import numpy as np

    count, height, width = frames.shape[:3]
    pixels: NDArray[Any] = levels(frames.reshape(count * height, width, *frames.shape[3:]))
    if pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    elif pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    return pixels.reshape(count, height, width, *pixels.shape[2:])


def _gif(frames: NDArray[np.generic], fps: float, format: str) -> bytes:
    import PIL.Image

    images: list[PIL.Image.Image] = [PIL.Image.fromarray(frame) for frame in _bytes_of(frames)]
    ends = [round(100 * (index + 1) / fps) for index in range(len(images))]
    durations_ms = [10 * (end - start) for start, end in zip([0, *ends], ends)]
    buffer = io.BytesIO()
    images[0].save(buffer, format=format, save_all=True, append_images=images[1:], duration=durations_ms, loop=0)
    return buffer.getvalue()


def _film(frames: NDArray[np.generic], fps: float, format: str) -> bytes:
    import imageio.v3
    import numpy as np

    pixels = _bytes_of(frames)
    if pixels.ndim == 3 or pixels.shape[3] == 2:
        pixels = np.stack([pixels if pixels.ndim == 3 else pixels[..., 0]] * 3, axis=-1)
    # The codecs' colours are of 2 x 2 pixels: an odd edge is repeated, not stretched.
    odd = [(0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2), (0, 0)]
    pixels = np.pad(pixels[..., :3], odd, mode="edge")
    made = imageio.v3.imwrite(
        "<bytes>",
        pixels,
        extension=f".{format}",
        plugin="FFMPEG",
        fps=fps,
        codec=CODECS[format],
        macro_block_size=1,
        ffmpeg_log_level="error",
    )
    return bytes(made)
