"""
WAV files at the path of Aim 3, which had scipy's `read` and `write` here; see `aim.sdk.objects.wav`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.sdk.objects import wav

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read(filename: str | os.PathLike[str] | BinaryIO) -> tuple[int, NDArray[np.generic]]:
    """
    Return the rate and the samples of a WAV file: shape (frames,), or (frames, channels) when there are several.

    Raises:
        UndecodableAudio: it is no WAV file, or one of a kind that is not read here.
    """
    content = Path(filename).read_bytes() if isinstance(filename, (str, os.PathLike)) else filename.read()
    return wav.read(content)


def write(filename: str | os.PathLike[str] | BinaryIO, rate: int, data: Any) -> None:
    """
    Write samples as a WAV file, *rate* of them a second.

    Raises:
        UntrackableValue: no sound has that shape, type or integer range.

    >>> import io, numpy as np
    >>> file = io.BytesIO()
    >>> write(file, 8000, np.array([0, 1], np.int16))
    >>> rate, samples = read(io.BytesIO(file.getvalue()))
    >>> rate, samples.tolist()
    (8000, [0, 1])
    """
    content = wav.write(wav.samples_of(data), rate)
    if isinstance(filename, (str, os.PathLike)):
        Path(filename).write_bytes(content)
    else:
        filename.write(content)
