"""
Audio: what it is made from, how it is kept, and that it comes back.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects import once
from aim.sdk.objects.audio import Audio
from aim.sdk.objects.registry import restore
from aim.sdk.objects.wav import UndecodableAudio
from tests.sdk.objects import foreign

STEREO = np.arange(20, dtype=np.int16).reshape(10, 2)


def again(audio: Audio) -> Audio:
    """Return what a reader gets for *audio*."""
    stored = audio.stored()
    restored = restore(stored.kind, stored.fields, lambda: stored.data or b"")
    assert isinstance(restored, Audio)
    return restored


@given(st_numpy.arrays(np.int16, st.integers(1, 50)), st.integers(1, 192_000), st.text(max_size=9))
def test_samples_come_back_with_rate_and_caption(samples: NDArray[Any], rate: int, caption: str) -> None:
    """
    What was tracked is what a reader gets.
    """
    audio = again(Audio(samples, rate=rate, caption=caption))
    rate_back, back = audio.to_numpy()

    assert (rate, samples.tolist()) == (rate_back, back.tolist())
    assert {"caption": caption, "format": "wav"} == audio.json()
    assert (rate, 1, len(samples) / rate) == (audio.rate, audio.channels, audio.duration_s)


@pytest.mark.parametrize(
    "samples", [STEREO, foreign.Tensor(STEREO.T, "int16"), foreign.EagerTensor(STEREO), STEREO.tolist()]
)
def test_channels_of_each_library(samples: Any) -> None:
    """
    Two channels of numpy, of torch (channels first), of tensorflow and of lists are the same sound.
    """
    audio = Audio(samples, format="mp3")

    assert STEREO.tolist() == audio.to_numpy()[1].tolist()
    assert (2, 22_500, "wav", "wav") == (audio.channels, audio.rate, audio.format, audio.stored().extension)


def test_audio_is_a_snapshot() -> None:
    """
    Changing the array later does not change the sound.
    """
    samples = STEREO.copy()
    audio = Audio(samples)
    samples[:] = 0

    assert STEREO.tolist() == audio.to_numpy()[1].tolist()


@pytest.mark.parametrize("format", ["mp3", "MP3", "wav", "Flac"])
def test_files_are_kept_byte_by_byte(format: str) -> None:
    """
    Bytes in a known format, in any case of its name, are kept as they are.
    """
    audio = again(Audio(b"abc", format=format, caption="c"))

    assert ({"caption": "c", "format": format.lower()}, b"abc") == (audio.json(), audio.get().read())
    assert format.lower() == audio.stored().extension


def test_a_wav_file_tells_its_rate() -> None:
    """
    Rate, channels and length of a WAV file are read from its head.
    """
    audio = Audio(Audio(STEREO, rate=5).get())

    assert ("wav", 5, 2, 2.0) == (audio.format, audio.rate, audio.channels, audio.duration_s)


def test_the_format_of_a_file_is_found(tmp_path: Path) -> None:
    """
    A path's ending or the first bytes name the format.
    """
    (tmp_path / "speech.FLAC").write_bytes(b"?")
    (tmp_path / "speech").write_bytes(b"fLaC?")

    assert ["flac", "flac", "mp3"] == [
        Audio(source).format for source in (tmp_path / "speech.FLAC", str(tmp_path / "speech"), io.BytesIO(b"ID3?"))
    ]


def test_an_unknown_format_is_a_value_error() -> None:
    """
    A format that no player has is refused, and so are bytes that don't tell theirs.
    """
    with pytest.raises(ValueError, match="format is 'ogg'; expected one of mp3, wav, flac"):
        Audio(b"abc", format="ogg")
    with pytest.raises(ValueError, match="format is None; expected one of"):
        Audio(b"abc", format=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Audio format must be provided"):
        Audio(b"abc")


@pytest.mark.parametrize("rate", [0, -1, 0.5, "fast", 2**31])
def test_an_impossible_rate_is_refused(rate: Any) -> None:
    """
    A rate is a whole number of frames a second.
    """
    with pytest.raises(UntrackableValue, match=r"rate is .*; expected a whole number"):
        Audio(STEREO, rate=rate)


@pytest.mark.parametrize("value", [5, None, [], {}, object()])
def test_other_values_are_type_errors(value: object) -> None:
    """
    The message says what to pass.
    """
    with pytest.raises(WrongType, match=r"Audio can't be made from a .*\. Pass samples, a path"):
        Audio(value, format="wav")


def test_only_wav_becomes_samples() -> None:
    """
    Other formats are not decoded: an AssertionError, as in Aim 3, that says what to use.
    """
    with pytest.raises(UndecodableAudio, match=r"only WAV is decoded .* this is mp3. Use get\(\)"):
        Audio(b"abc", format="mp3").to_numpy()


def test_notebooks_play_audio() -> None:
    """
    A notebook gets a player with the file inside.
    """
    audio = Audio(STEREO, rate=10, caption="a<b")

    assert "<audio controls" in audio._repr_html_()
    assert "data:audio/wav;base64,UklGR" in audio._repr_html_()
    assert "a&lt;b" in audio._repr_html_()
    assert "<Audio wav 1 s 'a<b'>" == repr(audio)
    assert "data:audio/mpeg;base64,YWJj" in Audio(b"abc", "mp3")._repr_html_()
    assert "<Audio mp3>" == repr(Audio(b"abc", "mp3"))


@pytest.mark.parametrize(
    ("data", "format", "message"),
    [
        (np.zeros(0), "", "there are no samples"),
        (np.zeros((0, 2)), "", "no sound"),
        (b"", "wav", "0 bytes"),
    ],
    ids=["array", "array of two channels", "file"],
)
def test_sound_of_no_length_is_refused(data: Any, format: str, message: str) -> None:
    """
    No samples, or a file without a byte, is an error when the object is made.
    """
    with pytest.raises(UntrackableValue, match=message):
        Audio(data, format=format, rate=8000)


def test_samples_that_are_no_numbers_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    NaN becomes silence, and one warning says so.
    """
    once.forget()
    with caplog.at_level("WARNING", logger="aim"):
        Audio(np.array([0.5, np.nan]), rate=8000).stored()
        Audio(np.array([0.5, np.nan]), rate=8000).stored()

    assert 1 == caplog.text.count("NaN or infinite")
