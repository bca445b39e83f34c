"""
WAV files: samples to bytes and back.

    RIFF <size> WAVE
        fmt <size> <tag, channels, rate, bytes/s, bytes/frame, bits>
        fact 4 <frame count>    of floats only
        data <size> <frames>

    written as          tag    from
    8 bits, unsigned    1      uint8
    16 bits             1      int16; int8, in its upper bits; int64 whose values fit
    32 bits             1      int32; int64 whose values fit
    32-bit floats       3      float16, float32, float64; from -1 to 1

Floats beyond 1 are divided by their peak, with one warning, because players cut them off; NaN is silence.
Read are also 24 bits (in the upper bits of int32), 64 bits, and the extensible form (tag 0xFFFE); not compressed forms.

Source: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991); for tags 3 and 0xFFFE,
Multiple Channel Audio Data and WAVE Files (Microsoft, 2007).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from aim.core.errors import UntrackableValue, UsageError
from aim.sdk.objects.once import warn_once
from aim.sdk.objects.recognise import is_array, is_torch_tensor, numpy_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
CHANNEL_COUNT_MAX = 64
BYTES_MAX = 2**32 - 100  # sizes are 32 bits


class UndecodableAudio(UsageError, AssertionError):
    """Audio that can't be given as samples: it is no WAV file, or a compressed or cut one."""


def samples_of(value: Any) -> NDArray[np.generic]:
    """
    Copy *value* as an array of shape (frames,) or (frames, channels), of a type that `write` takes.

    The shorter of two axes is the channels, so both (frames, channels) and torch's (channels, frames) are right; of
    equal axes the first is with torch and the second elsewhere.

    Raises:
        UntrackableValue: no sound has that shape, type or integer range.
    """
    import numpy as np

    array = np.array(numpy_of(value) if is_array(value) else np.asarray(value), copy=True)
    if array.ndim == 2:
        first, second = array.shape
        if first < second or (first == second and is_torch_tensor(value)):
            array = array.T
        array = array[:, 0] if array.shape[1] == 1 else array
    channels = array.shape[1] if array.ndim == 2 else 1
    if array.ndim not in (1, 2) or not 1 <= channels <= CHANNEL_COUNT_MAX:
        raise UntrackableValue(
            f"an array of shape {np.shape(value)} is no sound: expected (frames,) or (frames, channels), "
            f"with at most {CHANNEL_COUNT_MAX} channels."
        )
    array = _writable(array)
    if array.nbytes > BYTES_MAX:
        raise UntrackableValue(f"{array.nbytes:,} bytes of samples do not fit a WAV file, which ends at 4 GiB.")
    return array


def write(samples: NDArray[np.generic], rate: int) -> bytes:
    """
    Make a WAV file of *samples* (of `samples_of`), *rate* of them a second.

    >>> import numpy as np
    >>> write(np.array([0, 1], np.int16), rate=8000).hex(" ", 4)
    '52494646 28000000 57415645 666d7420 10000000 01000100 401f0000 803e0000 02001000 64617461 04000000 00000100'
    """
    if samples.dtype.kind == "f":
        samples = _within_one(samples)
    channels = samples.shape[1] if samples.ndim == 2 else 1
    width_bytes = samples.dtype.itemsize
    is_float = samples.dtype.kind == "f"
    header = struct.pack(
        "<HHIIHH",
        FLOAT if is_float else PCM,
        channels,
        rate,
        rate * channels * width_bytes,
        channels * width_bytes,
        8 * width_bytes,
    )
    body = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    chunks = _chunk(b"fmt ", header)
    if is_float:
        chunks += _chunk(b"fact", struct.pack("<I", len(samples)))
    chunks += _chunk(b"data", body)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def read(data: bytes) -> tuple[int, NDArray[np.generic]]:
    """
    Return the rate and the samples of a WAV file: shape (frames,), or (frames, channels) when there are several.

    Raises:
        UndecodableAudio: it is no WAV file, or one of a kind that is not read here.
    """
    import numpy as np

    tag, channels, rate, bits, body = _parts(data)
    kinds = {
        (PCM, 8): "u1",
        (PCM, 16): "<i2",
        (PCM, 32): "<i4",
        (PCM, 64): "<i8",
        (FLOAT, 32): "<f4",
        (FLOAT, 64): "<f8",
    }
    if (tag, bits) == (PCM, 24):
        # Three bytes become the upper three of four.
        whole = np.frombuffer(body[: len(body) // 3 * 3], "u1").reshape(-1, 3)
        wide = np.zeros((len(whole), 4), "u1")
        wide[:, 1:] = whole
        samples: NDArray[Any] = wide.view("<i4").reshape(-1)
    elif (tag, bits) in kinds:
        kind = np.dtype(kinds[tag, bits])
        samples = np.frombuffer(body[: len(body) // kind.itemsize * kind.itemsize], kind).astype(kind.newbyteorder("="))
    else:
        raise UndecodableAudio(f"WAV files of form {tag} with {bits} bits are not read here. `get()` gives the bytes.")
    if channels > 1:
        samples = samples[: len(samples) // channels * channels].reshape(-1, channels)
    return rate, samples


def describe(data: bytes) -> dict[str, int | float]:
    """
    Return rate, channels and duration_s of a WAV file; {} if it can't be read.
    """
    try:
        _, channels, rate, bits, body = _parts(data)
        return {"rate": rate, "channels": channels, "duration_s": len(body) * 8 / (bits * channels * rate)}
    except (UndecodableAudio, ZeroDivisionError):
        return {}


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    kind = array.dtype
    if kind.kind == "f":
        return array.astype(np.float32)
    if kind in (np.uint8, np.int16, np.int32):
        return array.astype(kind.newbyteorder("="), copy=False)
    if kind == np.int8:
        return array.astype(np.int16) * np.int16(256)
    if kind.kind == "i":
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        for narrow in (np.int16, np.int32):
            if np.iinfo(narrow).min <= low and high <= np.iinfo(narrow).max:
                return array.astype(narrow)
        raise UntrackableValue(f"samples of {kind} from {low} to {high} do not fit 32 bits. Pass floats from -1 to 1.")
    raise UntrackableValue(f"an array of {kind} is no sound: expected uint8, int8 to int64, or floats from -1 to 1.")


def _within_one(samples: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    if not np.isfinite(samples).all():
        warn_once(
            "samples that are no numbers",
            "Audio: some samples are NaN or infinite; they are stored as silence, 1 or -1. This is said once.",
        )
        samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    peak = float(np.abs(samples).max()) if samples.size else 0.0
    if peak <= 1:
        return samples
    warn_once(
        "loud audio",
        f"Audio: floats reach {peak:g}, and players cut off beyond 1; all samples are divided by it. "
        "Scale the array to choose otherwise. This is said once.",
    )
    return (samples / np.float32(peak)).astype(np.float32)


def _parts(data: bytes) -> tuple[int, int, int, int, bytes]:
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise UndecodableAudio("this is no WAV file. `get()` gives the bytes.")
    form: tuple[int, int, int, int] | None = None
    offset = 12
    while offset + 8 <= len(data):
        name, size = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], "little")
        body = data[offset + 8 : offset + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            # The extensible form has the real tag at the start of a GUID.
            tag = int.from_bytes(body[24:26], "little") if tag == EXTENSIBLE and len(body) >= 26 else tag
            form = (tag, channels, rate, bits)
        elif name == b"data" and form is not None:
            return (*form, body)
        offset += 8 + size + size % 2
    raise UndecodableAudio("this WAV file is cut short: it has no samples. `get()` gives the bytes.")


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
