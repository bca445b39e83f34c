"""
Audio.

    made from                                       kept as
    an array, tensor or list of samples             WAV; see `wav` for shapes and values
    a path, the bytes of a file, an open file       the file's own bytes: mp3, wav or flac
    `Audio.from_uri(address)`                       the address; see `references`

    field       meaning
    format      mp3, wav or flac
    rate        frames a second; of WAV
    channels    of WAV
    duration_s  of WAV
    caption     left out when it is ''
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects import wav
from aim.sdk.objects.custom import Content
from aim.sdk.objects.media_file import MediaFile
from aim.sdk.objects.recognise import is_array
from aim.sdk.objects.sources import is_file_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_DEFAULT = 22_500  # frames a second; that of Aim 3
RATE_MAX = 2**31 - 1


class Audio(MediaFile):
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
    SUBJECT: ClassVar[str] = "audio"
    FORMATS: ClassVar[tuple[str, ...]] = ("mp3", "wav", "flac")

    def __init__(self, data: Any, format: str = "", caption: Any = "", rate: int | None = None) -> None:
        if is_array(data) or (isinstance(data, (list, tuple)) and data):
            fields, content = _of_samples(data, rate)
        elif is_file_source(data):
            name, file = self._of_source(data, self._format_asked(format))
            if not file:
                raise UntrackableValue("the audio file is empty: 0 bytes.")
            fields, content = {"format": name, **(wav.describe(file) if name == "wav" else {})}, Content.of(file)
        else:
            raise WrongType(
                f"Audio can't be made from a {type(data).__module__}.{type(data).__qualname__}. "
                "Pass samples, a path, the bytes of a file, or an open file."
            )
        super().__init__(fields, content)
        self.caption = caption

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
        """Return caption and format."""
        return {"caption": self.caption, "format": self.format}

    def to_numpy(self) -> tuple[int, NDArray[np.generic]]:
        """
        Return the rate and the samples of a WAV file: shape (frames,), or (frames, channels) when there are several.

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
        from aim.sdk.html import media

        return media.audio(self, repr(self))


def _of_samples(data: Any, rate: int | None) -> tuple[dict[str, Any], Content]:
    frames_a_second = RATE_DEFAULT if rate is None else rate
    if not hasattr(frames_a_second, "__index__") or not 1 <= frames_a_second <= RATE_MAX:
        raise UntrackableValue(f"rate is {rate!r}; expected a whole number of frames a second, such as 44100.")
    frames_a_second = int(frames_a_second)
    samples = wav.samples_of(data)
    if samples.size == 0:
        raise UntrackableValue("there are no samples. Pass at least one; to mark a silent step, track a Text.")
    fields = {
        "format": "wav",
        "rate": frames_a_second,
        "channels": samples.shape[1] if samples.ndim == 2 else 1,
        "duration_s": len(samples) / frames_a_second,
    }
    return fields, Content(partial(wav.write, samples, frames_a_second))
