"""
Media by reference: the original stays where it is, a small picture of an image goes with the run.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import obstore
import PIL.Image
import pytest
from hypothesis import HealthCheck, assume, given, settings

from aim import Audio, Image, Repo, Run, Table, Video
from aim.core.errors import UntrackableValue
from aim.sdk.objects import once
from aim.sdk.objects.custom import CustomObject
from aim.sdk.objects.references import PREVIEW_SIDE_MAX_PX, OriginalGone, fetch
from aim.sdk.objects.registry import restore
from aim.storage.artifacts.registry import register
from aim.storage.artifacts.stores import ObjectStore


@pytest.fixture(name="photo")
def _photo(tmp_path: Path) -> Path:
    """
    A jpeg of 800 x 600 that lies outside of any repository.
    """
    path = tmp_path / "a photo.jpg"
    slope = np.add.outer(np.arange(600), np.arange(800)) % 256
    PIL.Image.fromarray(np.stack([slope] * 3, axis=-1).astype(np.uint8)).save(path)
    return path


def kept(image: CustomObject) -> CustomObject:
    """Return the object as it is read back."""
    stored = image.stored()
    return restore(stored.kind, stored.fields, lambda: stored.data or b"")


def test_a_reference_knows_its_original(photo: Path) -> None:
    """
    Size, format and mode are the original's; a reading gives its own pixels.
    """
    image = kept(Image.from_uri(photo, caption="slope"))

    assert isinstance(image, Image)
    assert (photo.as_uri(), "JPEG", (800, 600), "slope") == (image.uri, image.format, image.size, image.caption)
    assert photo.read_bytes() == image._read()
    assert (800, 600) == image.to_pil_image().size
    assert Image(photo) == image


def test_only_a_small_picture_is_stored(photo: Path) -> None:
    """
    The repository gets a WebP that is no larger than its bound on either side, and says so.
    """
    stored = Image.from_uri(photo).stored()
    assert stored.data is not None
    picture = PIL.Image.open(io.BytesIO(stored.data))

    assert ("WEBP", PREVIEW_SIDE_MAX_PX) == (picture.format, max(picture.size))
    assert ("webp", "webp") == (stored.fields["format"], stored.extension)
    assert len(stored.data) < photo.stat().st_size


def test_references_are_tracked_and_outlive_their_original(photo: Path, tmp_path: Path) -> None:
    """
    A run tells of an image whose file was deleted; only the pixels are an error, which says where they were.
    """
    repo = Repo(tmp_path / "repo", init=True)
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(Image.from_uri(str(photo), caption=7), name="photos")
        run.track(Table([{"photo": Image.from_uri(photo)}]), name="table")
    photo.unlink()
    reading = repo.get_run(run.hash)
    assert reading is not None
    image = reading.get_image_sequence("photos").values.last_value()

    assert ((800, 600), 7) == (image.size, image.caption)
    with pytest.raises(OriginalGone, match=r"a%20photo\.jpg is not there any more"):
        image.to_pil_image()


def test_an_original_that_was_changed_is_an_error(photo: Path) -> None:
    """
    Another file under the same name is not taken for the image.
    """
    image = kept(Image.from_uri(photo))
    photo.write_bytes(b"another file")

    with pytest.raises(OriginalGone, match="was changed: it has 12 bytes"):
        image._read()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["png", "jpeg", "webp", "gif", "bmp", "tiff"]),
    st.sampled_from(["1", "L", "RGB", "RGBA", "P", "I;16", "CMYK"]),
    st.tuples(st.integers(1, 600), st.integers(1, 600)),
)
def test_every_image_file_can_stay_where_it_is(tmp_path: Path, format: str, mode: str, size: tuple[int, int]) -> None:
    """
    Whatever format, mode and shape: the stored form tells the original's, and has a picture within its bounds.
    """
    path = tmp_path / "original"
    try:
        PIL.Image.new(mode, size).save(path, format)
    except (OSError, KeyError, ValueError):  # the format does not hold such pixels
        assume(False)
    image = kept(Image.from_uri(path))
    assert isinstance(image, Image)
    picture = PIL.Image.open(io.BytesIO(image.local_bytes()))

    assert (size, format.upper()) == (image.size, image.format)
    assert max(picture.size) == min(max(size), PREVIEW_SIDE_MAX_PX)
    assert path.read_bytes() == image._read()


@pytest.mark.parametrize("name", ["missing.png", "text.txt"])
def test_a_wrong_path_is_an_error_at_once(name: str, tmp_path: Path) -> None:
    """
    No file, and a file that is no image, are refused by the call.
    """
    (tmp_path / "text.txt").write_text("no image", encoding="utf-8")

    with pytest.raises(UntrackableValue, match=name):
        Image.from_uri(tmp_path / name)


def test_an_unknown_address_is_an_error_at_once() -> None:
    """
    An address that no store understands is a ValueError, as for artifacts.
    """
    with pytest.raises(ValueError, match="gopher"):
        Image.from_uri("gopher://cats/7.png")
    with pytest.raises(ValueError, match="names no image"):
        Image.from_uri("memory:///")


def test_an_image_of_an_object_store_is_looked_at_beside_the_training(photo: Path) -> None:
    """
    The call knows nothing of it; the stored form has size and picture; reading fetches the original.
    """
    store = ObjectStore("memory:///")
    obstore.put(store._store, "7.jpg", photo)
    register("cats", lambda uri: store)
    image = Image.from_uri("cats://all/7.jpg")
    assert ((0, 0), "") == (image.size, image.format)

    back = kept(image)
    assert isinstance(back, Image)
    assert ((800, 600), "JPEG", "cats://all/7.jpg") == (back.size, back.format, back.uri)
    assert photo.read_bytes() == back._read()


def test_an_address_that_does_not_answer_is_kept_alone(caplog: pytest.LogCaptureFixture) -> None:
    """
    Nothing there is a warning and no lost point: the address is stored without a picture.
    """
    once.forget()
    register("cats", lambda uri: ObjectStore("memory:///"))
    with caplog.at_level(logging.WARNING, logger="aim"):
        stored = Image.from_uri("cats://all/none.jpg").stored()

    assert stored.data is None
    assert {"uri": "cats://all/none.jpg"} == stored.fields["reference"]
    assert "only its address is recorded" in caplog.text
    with pytest.raises(OriginalGone):
        fetch("cats://all/none.jpg")


def test_sound_and_video_stay_where_they_are(tmp_path: Path) -> None:
    """
    Only the address is stored; format by ending, by first bytes, or as given; reading gives the file.
    """
    (tmp_path / "speech.mp3").write_bytes(b"ID3 mp3")
    (tmp_path / "clip").write_bytes(b"GIF89a gif")
    (tmp_path / "raw").write_bytes(b"?")
    sound, clip = kept(Audio.from_uri(tmp_path / "speech.mp3", caption="a")), kept(Video.from_uri(tmp_path / "clip"))
    raw = Audio.from_uri(tmp_path / "raw", format="FLAC")

    assert isinstance(sound, Audio)
    assert isinstance(clip, Video)
    assert [None, None, None] == [one.stored().data for one in (sound, clip, raw)]
    assert ["mp3", "gif", "flac"] == [one.format for one in (sound, clip, raw)]
    assert (b"ID3 mp3", b"GIF89a gif", "a") == (sound.get().read(), clip.get().read(), sound.caption)
    with pytest.raises(UntrackableValue, match="Audio format must be provided"):
        Audio.from_uri(tmp_path / "raw")
    with pytest.raises(UntrackableValue, match="expected one of mp4"):
        Video.from_uri(tmp_path / "clip", format="wav")
