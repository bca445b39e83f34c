"""
WAV files are what Python's own `wave` and every player read.
"""

from __future__ import annotations

import io
import struct
import wave
from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim.core.errors import UntrackableValue
from aim.sdk.objects import once, wav
from tests.sdk.objects import foreign

RATES = st.integers(1, 200_000)
SHAPES = st.tuples(st.integers(0, 30)) | st.tuples(st.integers(9, 30), st.integers(1, 8))


def written(value: Any, rate: int = 8000) -> NDArray[Any]:
    """Return the samples that come back from the file of *value*."""
    return wav.read(wav.write(wav.samples_of(value), rate))[1]


def reform(bits: int, body: bytes, tag: int = 1, channels: int = 1) -> bytes:
    """Return a WAV file with another form and body, and an odd chunk of somebody else before them."""
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, 8000, 8000 * width, width, bits)
    extra = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks = extra + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32])
@given(data=st.data(), rate=RATES)
def test_whole_samples_come_back_and_are_what_wave_reads(kind: Any, data: st.DataObject, rate: int) -> None:
    """
    Samples of whole numbers come back as they were, and the standard library reads the same bytes.
    """
    samples = data.draw(st_numpy.arrays(kind, SHAPES))
    file = wav.write(wav.samples_of(samples), rate)
    rate_back, back = wav.read(file)
    with wave.open(io.BytesIO(file)) as judge:
        frames = judge.readframes(judge.getnframes())
        judged = (judge.getframerate(), judge.getnchannels(), judge.getsampwidth())

    channels = samples.shape[1] if samples.ndim == 2 else 1
    assert (rate, channels, samples.itemsize) == judged
    assert samples.tobytes() == frames
    assert (rate, samples.reshape(back.shape).tolist()) == (rate_back, back.tolist())


@given(st_numpy.arrays(np.float32, SHAPES, elements=st.floats(-1, 1, width=32)))
def test_floats_up_to_one_come_back_exactly(samples: NDArray[Any]) -> None:
    """
    float32 samples from -1 to 1 are kept bit by bit.
    """
    back = written(samples)

    assert "float32" == back.dtype.name
    assert samples.ravel().tolist() == back.ravel().tolist()


@pytest.mark.parametrize("kind", ["float16", "float64", ">f4", ">i2"])
def test_other_forms_of_numbers_keep_their_values(kind: str) -> None:
    """
    Half and double floats, and numbers in the other order of bytes, sound the same.
    """
    samples = np.array([0, 1, -1], kind)

    assert [0, 1, -1] == written(samples).tolist()


def test_loud_floats_are_divided_by_their_peak(caplog: pytest.LogCaptureFixture) -> None:
    """
    Floats beyond 1 keep their shape, and that is said once.
    """
    once.forget()

    assert [0.25, -1.0] == written(np.array([8000.0, -32000.0])).tolist()
    assert [0.5, -1.0] == written(np.array([1.0, -2.0])).tolist()
    assert 1 == len(caplog.records)


def test_what_is_no_number_is_silence() -> None:
    """
    NaN is 0, infinities are full scale.
    """
    assert [0.0, 1.0, -1.0, 0.5] == written(np.array([np.nan, np.inf, -np.inf, 0.5])).tolist()


@pytest.mark.parametrize(
    ("samples", "kind", "values"),
    [
        (np.array([1, -128], np.int8), "int16", [256, -32768]),
        (np.array([1, -32768]), "int16", [1, -32768]),
        (np.array([1, 32768]), "int32", [1, 32768]),
        ([0, 1, 2], "int16", [0, 1, 2]),
        ([0.0, 0.5], "float32", [0.0, 0.5]),
    ],
)
def test_samples_take_the_form_that_players_read(samples: Any, kind: str, values: list[float]) -> None:
    """
    8-bit samples are raised to 16 bits, 64-bit ones take the form they fit, lists are arrays.
    """
    back = written(samples)

    assert (kind, values) == (back.dtype.name, back.tolist())


@pytest.mark.parametrize(
    "samples",
    [
        np.array([2**40]),
        np.array([True]),
        np.array([1], np.uint16),
        np.array([1j]),
        np.array(["a"]),
        np.zeros((2, 2, 2)),
        np.zeros((100, 100)),
        np.float32(1),
        np.zeros((5, 0)),
    ],
    ids=lambda samples: f"{samples.dtype}{samples.shape}",
)
def test_what_is_no_sound_is_refused(samples: Any) -> None:
    """
    The message says what was expected.
    """
    with pytest.raises(UntrackableValue, match=r"is no sound: expected|do not fit 32 bits"):
        wav.samples_of(samples)


@pytest.mark.parametrize(
    ("shape", "frames"),
    [((9, 2), (9, 2)), ((2, 9), (9, 2)), ((1, 9), (9,)), ((9, 1), (9,)), ((1, 1), (1,)), ((9,), (9,))],
)
def test_the_shorter_axis_is_the_channels(shape: tuple[int, ...], frames: tuple[int, ...]) -> None:
    """
    Both orders of axes are understood.
    """
    assert frames == wav.samples_of(np.zeros(shape, np.int16)).shape


def test_of_equal_axes_torch_has_its_channels_first() -> None:
    """
    Two frames of two channels are read in each library's own order.
    """
    square = np.array([[1, 2], [3, 4]], np.int16)

    assert square.tolist() == wav.samples_of(square).tolist()
    assert square.T.tolist() == wav.samples_of(foreign.Tensor(square, "int16")).tolist()


def test_other_forms_of_wav_are_read() -> None:
    """
    24 bits, 64 bits, doubles and the extensible form are read, with chunks of others before them.
    """
    forms = [
        (24, b"\x01\x02\x03\xff\xff\xff", 1, [0x03020100, -256]),
        (64, struct.pack("<q", -5), 1, [-5]),
        (64, struct.pack("<d", 0.5), 3, [0.5]),
        (16, struct.pack("<hh", 5, -5), 1, [5, -5]),
    ]
    for bits, body, tag, values in forms:
        assert values == wav.read(reform(bits, body, tag))[1].tolist()

    form = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4) + struct.pack("<H", 1) + bytes(14)
    extensible = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(form)) + form + b"data\x02\0\0\0\x07\0"
    assert [7] == wav.read(extensible)[1].tolist()


def test_a_file_that_was_cut_gives_the_whole_frames_it_has() -> None:
    """
    Half a sample, or half a frame, at the end is left out.
    """
    assert [5] == wav.read(reform(16, struct.pack("<hb", 5, 1)))[1].tolist()
    assert [[1, 2]] == wav.read(reform(16, struct.pack("<hhh", 1, 2, 3), channels=2))[1].tolist()


@pytest.mark.parametrize(
    "data", [b"", b"abc", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\x02\0\0\0ab", reform(4, b"ab", tag=2)]
)
def test_what_is_not_read_is_a_clear_error(data: bytes) -> None:
    """
    No WAV, a cut one and a compressed one are refused, by an error that is an AssertionError as in Aim 3.
    """
    with pytest.raises(wav.UndecodableAudio, match=r"`get\(\)` gives the bytes"):
        wav.read(data)
    assert issubclass(wav.UndecodableAudio, AssertionError)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """
    Bytes behind the head of a WAV file give samples or our error, never another.
    """
    data = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + body
    wav.describe(data)
    try:
        wav.read(data)
    except wav.UndecodableAudio:
        pass


def test_a_file_that_is_not_read_is_not_described() -> None:
    """
    What has no head of a WAV file has no rate either.
    """
    assert {} == wav.describe(b"abc") == wav.describe(reform(0, b""))
    assert {"rate": 8000, "channels": 1, "duration_s": 0.25} == wav.describe(reform(16, bytes(4000)))
