"""
Videos: files are kept, frames become one.
"""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects.registry import restore
from aim.sdk.objects.video import Video
from tests.sdk.objects import foreign

# Four frames of one gray each: 256 colours hold them exactly.
GRAYS = np.array([0, 80, 160, 255], np.uint8)
FRAMES = np.broadcast_to(GRAYS[:, None, None, None], (4, 6, 8, 3)).copy()
FIRST = FRAMES.transpose(0, 3, 1, 2)


def again(video: Video) -> Video:
    """Return what a reader gets for *video*."""
    stored = video.stored()
    restored = restore(stored.kind, stored.fields, lambda: stored.data or b"")
    assert isinstance(restored, Video)
    return restored


def shown(video: Video) -> list[int]:
    """Return the gray of each frame of a GIF."""
    image = PIL.Image.open(video.get())
    return [int(np.asarray(frame.convert("L"))[2, 3]) for frame in PIL.ImageSequence.Iterator(image)]


def durations_ms(video: Video) -> list[int]:
    """Return how long a GIF shows each frame."""
    image = PIL.Image.open(video.get())
    return [frame.info["duration"] for frame in PIL.ImageSequence.Iterator(image)]


@pytest.mark.parametrize(
    "frames",
    [
        FRAMES,
        FRAMES[..., 0],
        FRAMES[..., :1],
        FRAMES / 255,
        FRAMES.astype(np.int64),
        FRAMES[..., 0].astype(np.uint16) * 257,
        foreign.Tensor(FIRST, "uint8"),
        foreign.Tensor(FIRST / np.float32(255)),
        foreign.EagerTensor(FRAMES),
        list(FRAMES),
        [PIL.Image.fromarray(frame) for frame in FRAMES],
        [foreign.Tensor(frame, "uint8") for frame in FIRST],
    ],
    ids=lambda frames: f"{type(frames).__module__}.{type(frames).__name__}",
)
def test_frames_of_each_library_are_one_video(frames: Any) -> None:
    """
    Arrays, tensors and lists of either, or of Pillow images, show the same frames.
    """
    video = again(Video(frames, format="gif", fps=4))

    assert GRAYS.tolist() == shown(video)
    assert ((8, 6), 4, 4.0, "gif") == (video.size, video.frame_count, video.fps, video.format)


def test_one_rule_holds_for_the_values_of_all_frames() -> None:
    """
    A dark frame stays dark beside a bright one: floats are not stretched frame by frame.
    """
    frames = np.stack([np.full((4, 4), 0.0), np.full((4, 4), 10.0), np.full((4, 4), 200.0)])

    assert [0, 10, 200] == shown(Video(frames, format="gif"))


def test_bits_are_black_and_white() -> None:
    """
    Frames of bool are shown.
    """
    assert [0, 255] == shown(Video(np.stack([np.zeros((4, 4), bool), np.ones((4, 4), bool)]), format="gif"))


@given(st.integers(1, 60), st.sampled_from([1, 3, 7, 10, 12.5, 24, 30, 50]))
def test_a_gif_is_as_long_as_it_should_be(frame_count: int, fps: float) -> None:
    """
    Rounding to hundredths of a second does not add up.
    """
    # No two frames in a row are alike, because Pillow makes one of those.
    frames = np.broadcast_to((np.arange(frame_count, dtype=np.uint8) % 2 * 255)[:, None, None], (frame_count, 2, 2))
    total_ms = 10 * round(100 * frame_count / fps)

    assert frame_count == 1 or total_ms == sum(durations_ms(Video(frames, format="gif", fps=fps)))


@given(
    st_numpy.arrays(
        st.sampled_from([bool, np.uint8, np.uint16, np.float32]),
        st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4)),
    )
)
def test_every_kind_of_frames_is_a_video(frames: NDArray[Any]) -> None:
    """
    Whatever has the shape of a video is one, in a file that opens.
    """
    video = Video(frames, format="gif")

    assert video.size == PIL.Image.open(video.get()).size
    assert len(frames) == video.frame_count


def test_a_video_is_a_snapshot() -> None:
    """
    Changing the frames later does not change the video.
    """
    frames = FRAMES.copy()
    videos = [Video(frames, format="gif"), Video(list(frames), format="gif")]
    frames[:] = 7

    assert [GRAYS.tolist()] * 2 == [shown(video) for video in videos]


@pytest.mark.parametrize(
    ("head", "kind"), [(b"\0\0\0\x20ftypisom", "mp4"), (b"\x1aE\xdf\xa3", "webm"), (b"GIF89a\x08\0\x06\0", "gif")]
)
def test_files_are_kept_byte_by_byte(head: bytes, kind: str, tmp_path: Path) -> None:
    """
    A file is known by its first bytes, its path's ending, or the format given; its bytes stay.
    """
    path = tmp_path / f"clip.{kind.upper()}"
    path.write_bytes(head)
    videos = [again(Video(source)) for source in (head, path, str(path), io.BytesIO(head))]

    assert [(kind, head)] * 4 == [(video.format, video.get().read()) for video in videos]
    assert kind == Video(b"anything", format=kind.upper()).format == videos[0].stored().extension
    assert ((8, 6) if kind == "gif" else None) == videos[0].size


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (b"abc", {}, "Pass format, one of mp4, webm, gif"),
        (b"abc", {"format": "avi"}, "format is 'avi'; expected one of"),
        (b"abc", {"format": 5}, "format is 5; expected one of"),
        ("gone.mp4", {}, "there is no video file"),
        (FRAMES, {"format": "gif", "fps": 0}, "fps is 0; expected"),
        (FRAMES, {"format": "gif", "fps": "fast"}, "fps is 'fast'; expected"),
        (FRAMES, {"format": "gif", "fps": float("nan")}, "fps is nan; expected"),
        (np.zeros((4, 4)), {"format": "gif"}, "is no video: expected"),
        (np.zeros((0, 4, 4)), {"format": "gif"}, "is no video: expected"),
        (np.zeros((2, 9, 9, 9)), {"format": "gif"}, "1 to 4 channels"),
        ([np.zeros((2, 2)), np.zeros((3, 3))], {"format": "gif"}, r"frame 1 has shape \(3, 3\)"),
        (np.full((2, 4, 4), 300), {"format": "gif"}, "have to be 0 to 255"),
    ],
)
def test_wrong_arguments_are_value_errors(data: Any, arguments: dict[str, Any], message: str) -> None:
    """
    Each message says what was expected.
    """
    with pytest.raises(ValueError, match=message):
        Video(data, **arguments)


@pytest.mark.parametrize("value", [5, None, [], {}, ["a"], [1, 2]])
def test_other_values_are_type_errors(value: object) -> None:
    """
    The message says what to pass.
    """
    with pytest.raises(WrongType, match=r"Video can't be made from|expected an array, a tensor or an image of Pillow"):
        Video(value)


def test_without_imageio_frames_become_a_gif(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    mp4 is refused at once with what to install, and is not the default.
    """
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UntrackableValue, match=r"imageio\[ffmpeg\].*use format='gif'"):
        Video(FRAMES, format="mp4")
    assert "gif" == Video(FRAMES).format


# imageio leaves the pipes of its ffmpeg to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_with_imageio_frames_become_a_film(format: str) -> None:
    """
    A film has all frames, its odd edges repeated; mp4 is the default.
    """
    import imageio.v3

    video = Video(FRAMES[:, :5, :7], format=format)
    frames = imageio.v3.imread(video.get().read(), extension=f".{format}")

    assert (4, 6, 8, 3) == frames.shape
    assert np.abs(frames[:, 2, 2, 0].astype(int) - GRAYS).max() < 8
    assert "mp4" == Video(FRAMES).format


def test_a_video_tells_what_it_is() -> None:
    """
    JSON has all that is known; the caption can be set.
    """
    video = Video(FRAMES, format="gif", caption="first", fps=2)
    video.caption = "second"

    assert {
        "caption": "second",
        "format": "gif",
        "width": 8,
        "height": 6,
        "fps": 2.0,
        "frame_count": 4,
    } == video.json()
    assert "<Video gif 8x6 'second'>" == repr(video)
    assert {"caption": "", "format": "mp4"} == Video(b"abc", format="mp4").json()


def test_notebooks_show_videos() -> None:
    """
    A GIF is an image, a film has a player.
    """
    assert '<img src="data:image/gif;base64,R0lGOD' in Video(FRAMES, format="gif")._repr_html_()
    film = Video(b"abc", format="webm", caption="<i>")._repr_html_()
    assert 'src="data:video/webm;base64,YWJj"' in film
    assert "&lt;i&gt;" in film
