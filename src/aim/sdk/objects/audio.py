"""
Audio.

    made from                                       kept as
    an array, tensor or list of samples             WAV; see `wav` for shapes and values
    a path, the bytes of a file, an open file       the file's own bytes: mp3, wav or flac

    field       meaning
    format      mp3, wav or flac
    rate        frames a second; of WAV
    channels    of WAV
    duration_s  of WAV
    caption     left out when it is ''
"""

from __future__ import annotations

import base64
import html
import io
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects import wav
from aim.sdk.objects.custom import Captioned, Content
from aim.sdk.objects.recognise import is_array
from aim.sdk.objects.sources import is_file_source, kind_of_file, read_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS = ("mp3", "wav", "flac")
MIMES = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}
RATE_DEFAULT = 22_500  # frames a second; that of Aim 3
RATE_MAX = 2**31 - 1


class Audio(Captioned):
    """
    One piece of sound.

    Args:
        data: samples (an array, a tensor, a list of numbers) of shape (frames,), (frames, channels) or
            (channels, frames); or a path, the bytes or an open file of an mp3, wav or flac.
        format: mp3, wav or flac, in any case. May be left out when the path's ending or the first bytes tell.
            Samples are always kept as wav.
        caption: any text; can be set later.
        rate: frames a second, of samples.

    Raises:
        UntrackableValue: (a ValueError) an unknown format, no file there, a shape or type that no sound has.
        WrongType: (a TypeError) *data* is something else.

    >>> import numpy as np
    >>> beep = Audio(np.sin(np.arange(4000) / 4), rate=8000, caption="beep")
    >>> beep.json(), beep.rate, beep.duration_s
    ({'caption': 'beep', 'format': 'wav'}, 8000, 0.5)
    """

    AIM_NAME: ClassVar[str] = "aim.audio"

    def __init__(self, data: Any, format: str = "", caption: Any = "", rate: int | None = None) -> None:
        if is_array(data) or (isinstance(data, (list, tuple)) and data):
            fields, content = _of_samples(data, rate)
        elif is_file_source(data):
            fields, content = _of_file(data, format)
        else:
            raise WrongType(
                f"Audio can't be made from a {type(data).__module__}.{type(data).__qualname__}. "
                "Pass samples, a path, the bytes of a file, or an open file."
            )
        super().__init__(fields, content)
        self.caption = caption

    @property
    def format(self) -> str:
        """The format: mp3, wav or flac."""
        return str(self._fields.get("format", ""))

    @property
    def rate(self) -> int | None:
        """Frames a second of a WAV file; None for other formats."""
        return self._fields.get("rate")

    @property
    def channels(self) -> int | None:
        """The number of channels of a WAV file; None for other formats."""
        return self._fields.get("channels")

    @property
    def duration_s(self) -> float | None:
        """The length of a WAV file in seconds; None for other formats."""
        return self._fields.get("duration_s")

    def json(self) -> dict[str, Any]:
        """Give caption and format."""
        return {"caption": self.caption, "format": self.format}

    def get(self) -> io.BytesIO:
        """Give the file as a buffer, a new one each time."""
        return io.BytesIO(self._read())

    def to_numpy(self) -> tuple[int, NDArray[np.generic]]:
        """
        Give the rate and the samples of a WAV file: shape (frames,), or (frames, channels) when there are several.

        Raises:
            UndecodableAudio: (an AssertionError) the format is not wav.
        """
        if self.format != "wav":
            raise wav.UndecodableAudio(f"only WAV is decoded to samples, and this is {self.format}. Use get().")
        return wav.read(self._read())

    def __repr__(self) -> str:
        length = f" {self.duration_s:g} s" if self.duration_s is not None else ""
        return f"<Audio {self.format}{length}{f' {self.caption!r}' if self.caption != '' else ''}>"

    def _repr_html_(self) -> str:
        source = f"data:{MIMES.get(self.format, 'audio/wav')};base64,{base64.b64encode(self._read()).decode()}"
        caption = f"<figcaption>{html.escape(str(self.caption))}</figcaption>" if self.caption != "" else ""
        return f'<figure><audio controls src="{source}"></audio>{caption}</figure>'

    def _extension(self) -> str:
        return self.format


def _of_samples(data: Any, rate: int | None) -> tuple[dict[str, Any], Content]:
    frames_a_second = RATE_DEFAULT if rate is None else rate
    if not hasattr(frames_a_second, "__index__") or not 1 <= frames_a_second <= RATE_MAX:
        raise UntrackableValue(f"rate is {rate!r}; expected a whole number of frames a second, such as 44100.")
    frames_a_second = int(frames_a_second)
    samples = wav.samples_of(data)
    fields = {
        "format": "wav",
        "rate": frames_a_second,
        "channels": samples.shape[1] if samples.ndim == 2 else 1,
        "duration_s": len(samples) / frames_a_second,
    }
    return fields, Content(partial(wav.write, samples, frames_a_second))


def _of_file(source: Any, format: object) -> tuple[dict[str, Any], Content]:
    wanted = format.lower().lstrip(".") if isinstance(format, str) else repr(format)
    if wanted and wanted not in FORMATS:
        raise UntrackableValue(f"format is {format!r}; expected one of {', '.join(FORMATS)}.")
    data, ending = read_source(source, "audio")
    name = wanted or (ending if ending in FORMATS else kind_of_file(data))
    if name not in FORMATS:
        raise UntrackableValue(
            f"Audio format must be provided: the file does not tell. Pass one of {', '.join(FORMATS)}."
        )
    return {"format": name, **(wav.describe(data) if name == "wav" else {})}, Content.of(data)
