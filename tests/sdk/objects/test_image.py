"""
Images: what they are made from, how they are kept, and that they come back.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim.core.errors import UntrackableValue, WrongType
from aim.sdk.objects import once
from aim.sdk.objects.image import Image, convert_to_aim_image_list
from aim.sdk.objects.registry import restore
from tests.sdk.objects import foreign

FORMATS = ["png", "jpeg", "jpg", "webp", "gif", "bmp", "tiff", "tif"]
LOSSLESS = ["png", "bmp", "tiff"]
RGB = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
PIL_MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F", "I;16", "La", "RGBa"]


def decoded(image: Image) -> Any:
    """Return the pixels of the stored file."""
    return np.asarray(image.to_pil_image()).tolist()


def again(image: Image) -> Image:
    """Return what a reader gets for *image*."""
    stored = image.stored()
    restored = restore(stored.kind, stored.fields, lambda: stored.data or b"")
    assert isinstance(restored, Image)
    return restored


def picture(mode: str) -> PIL.Image.Image:
    """Return a small image of Pillow of *mode*."""
    return PIL.Image.new(mode, (5, 4))


def animation(format: str) -> bytes:
    """Return an animated file of three frames."""
    frames = [PIL.Image.new("RGB", (8, 6), colour) for colour in ("red", "green", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, format=format, save_all=True, append_images=frames[1:], duration=80)
    return buffer.getvalue()


@pytest.fixture(name="png_path")
def _png_path(tmp_path: Path) -> Path:
    """
    A PNG file of `RGB`.
    """
    path = tmp_path / "picture.png"
    PIL.Image.fromarray(RGB).save(path)
    return path


@pytest.mark.parametrize("format", LOSSLESS)
@given(
    array=st_numpy.arrays(
        np.uint8, st_numpy.array_shapes(min_dims=3, max_dims=3, max_side=6).map(lambda shape: (*shape[:2], 3))
    ),
    caption=st.text(max_size=10),
)
def test_lossless_formats_keep_every_pixel(format: str, array: NDArray[Any], caption: str) -> None:
    """
    An array comes back from a lossless format as it was, with its caption.
    """
    image = again(Image(array, caption=caption, format=format))

    assert array.tolist() == decoded(image)
    assert (caption, format, array.shape[1], array.shape[0]) == (image.caption, image.format, image.width, image.height)


@pytest.mark.parametrize("format", FORMATS)
@given(
    array=st_numpy.arrays(
        st.sampled_from([bool, np.uint8, np.uint16, np.float32]),
        st.tuples(st.integers(1, 5), st.integers(1, 5))
        | st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4)),
    )
)
def test_every_format_holds_every_kind_of_array(format: str, array: NDArray[Any]) -> None:
    """
    Whatever can be an image can be one in every format, and comes back equal.
    """
    image = Image(array, format=format)
    restored = again(image)

    assert image == restored
    assert image.size == restored.to_pil_image().size == (array.shape[1], array.shape[0])
    assert image.json() == restored.json()


@pytest.mark.parametrize("format", [*FORMATS, None])
@pytest.mark.parametrize("mode", PIL_MODES)
def test_every_format_holds_every_mode_of_pillow(format: str | None, mode: str) -> None:
    """
    Each kind of Pillow image can be stored in each format.
    """
    image = Image(picture(mode), format=format)

    assert (5, 4) == image.size == image.to_pil_image().size


@pytest.mark.parametrize(
    ("given_format", "format", "extension"),
    [
        ("jpg", "jpeg", "jpg"),
        ("JPG", "jpeg", "jpg"),
        ("JPEG", "jpeg", "jpg"),
        ("PNG", "png", "png"),
        ("tif", "tiff", "tif"),
        ("webp", "webp", "webp"),
        (None, "png", "png"),
    ],
)
def test_formats_have_one_name(given_format: str | None, format: str, extension: str) -> None:
    """
    jpg is jpeg, in any case; without a format it is png.
    """
    image = Image(RGB, format=given_format)

    assert (format, format, extension) == (image.format, image.json()["format"], image.stored().extension)


@pytest.mark.parametrize("format", ["zzz", "", "psd", 5])
def test_an_unknown_format_is_refused_at_once(format: Any) -> None:
    """
    The message lists the formats there are.
    """
    with pytest.raises(ValueError, match="expected one of png, jpeg, webp, gif, bmp, tiff"):
        Image(RGB, format=format)


@pytest.mark.parametrize("format", ["jpeg", "webp"])
@pytest.mark.parametrize(
    ("quality", "nearest"), [(-5, 0), (101, 100), (200, 100), (75.4, 75), (float("inf"), 100), (np.float32(9.6), 10)]
)
def test_a_quality_out_of_range_counts_as_the_nearest(quality: Any, nearest: int, format: str) -> None:
    """
    A training goes on with any number for the quality, as it does with Pillow's JPEG.
    """
    assert Image(RGB, format=format, quality=nearest) == Image(RGB, format=format, quality=quality)


@pytest.mark.parametrize("quality", ["high", None, float("nan")])
def test_a_quality_that_is_no_number_is_refused(quality: Any) -> None:
    """
    What can't be meant is told.
    """
    with pytest.raises(UntrackableValue, match="a number from 0 to 100"):
        Image(RGB, quality=quality)


def test_quality_and_optimize_make_smaller_files() -> None:
    """
    Less quality is fewer bytes; so is more effort.
    """
    noise = np.random.default_rng(5).integers(0, 255, (64, 64, 3), np.uint8)
    gradient = np.add.outer(np.arange(128, dtype=np.uint8), np.arange(128, dtype=np.uint8))
    bytes_of = {quality: len(Image(noise, format="jpeg", quality=quality).stored().data or b"") for quality in (10, 90)}

    assert bytes_of[10] < bytes_of[90]
    assert len(Image(gradient, optimize=True).stored().data or b"") < len(Image(gradient).stored().data or b"")


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file_is_kept_byte_by_byte(png_path: Path, as_path: type) -> None:
    """
    A path's file is stored as it is, with the format's own upper-case name.
    """
    image = Image(as_path(png_path), caption="c")

    assert png_path.read_bytes() == image.stored().data
    assert {"caption": "c", "format": "PNG", "width": 5, "height": 4} == image.json()
    assert "png" == image.stored().extension


def test_a_file_in_another_format_is_converted(png_path: Path) -> None:
    """
    A format or quality that the file does not have makes a new file.
    """
    image = Image(png_path, format="bmp")

    assert ("bmp", "BMP", RGB.tolist()) == (image.format, image.to_pil_image().format, decoded(image))
    assert png_path.read_bytes() != Image(png_path, optimize=True).stored().data


def test_the_bytes_of_a_file_are_accepted(png_path: Path) -> None:
    """
    An image file in memory is as good as its path.
    """
    assert Image(png_path) == Image(png_path.read_bytes()) == Image(bytearray(png_path.read_bytes()))


def test_a_missing_file_and_a_file_of_another_kind_are_value_errors(tmp_path: Path) -> None:
    """
    The message names the path.
    """
    (tmp_path / "notes.txt").write_text("no image")
    for path, message in (
        ("missing.png", "there is no image file at .*missing"),
        ("notes.txt", "notes.txt can't be read as an image: it begins like none that Pillow knows."),
    ):
        with pytest.raises(ValueError, match=message):
            Image(tmp_path / path)
    with pytest.raises(ValueError, match="there is no image file"):
        Image(tmp_path)
    with pytest.raises(
        ValueError, match="at 'https://example.org/x.png'. For a file that stays where it is, use Image.from_uri"
    ):
        Image("https://example.org/x.png")


@pytest.mark.parametrize("value", [5, None, [1, 2], {"a": 1}, object()])
def test_other_values_are_type_errors(value: object) -> None:
    """
    The message says what an image can be made from.
    """
    with pytest.raises(WrongType, match=r"Image can't be made from a .*Pass a path, an image of Pillow"):
        Image(value)


@pytest.mark.parametrize("shape", [(4,), (1, 4, 5, 3), (0, 3), (9, 9, 9)])
def test_shapes_that_are_no_pictures_are_value_errors(shape: tuple[int, ...]) -> None:
    """
    One or four axes, no pixels, or nine channels are refused.
    """
    with pytest.raises(ValueError, match="an array of shape"):
        Image(np.zeros(shape))


def test_a_picture_too_large_for_its_format_is_refused_at_once() -> None:
    """
    WebP ends at 16383 pixels; PNG does not.
    """
    wide = np.zeros((1, 17_000), np.uint8)

    with pytest.raises(UntrackableValue, match="too large for webp: at most 16383"):
        Image(wide, format="webp")
    assert (17_000, 1) == Image(wide).to_pil_image().size


@pytest.mark.parametrize(
    "tensor",
    [
        foreign.Tensor(RGB.transpose(2, 0, 1) / np.float32(255)),
        foreign.Tensor(RGB.transpose(2, 0, 1) / np.float32(255), kind="bfloat16"),
        foreign.Tensor(RGB.transpose(2, 0, 1), kind="uint8"),
        foreign.Parameter(RGB.transpose(2, 0, 1)),
        foreign.EagerTensor(RGB / np.float32(255)),
        foreign.ArrayImpl(RGB),
        foreign.ndarray(RGB),
    ],
    ids=lambda tensor: f"{type(tensor).__module__}.{type(tensor).__name__}.{tensor.dtype}",
)
def test_tensors_of_each_library_are_images(tensor: object) -> None:
    """
    The same picture comes out of torch (channels first), tensorflow, jax and cupy.
    """
    assert Image(RGB) == Image(tensor)


def test_a_figure_of_matplotlib_is_drawn() -> None:
    """
    A figure is what its savefig draws, in any format, and later drawing does not change it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1), dpi=50)
    axes = figure.subplots()
    axes.plot([1, 2])
    image, lossy = Image(figure), Image(figure, format="jpg")
    before = image.stored().data
    axes.plot([2, 1])

    assert ((100, 50), "png", (100, 50), "jpeg") == (image.size, image.format, lossy.size, lossy.format)
    assert before == image.stored().data
    assert before != Image(figure).stored().data


@pytest.mark.parametrize("source", [RGB.copy(), PIL.Image.fromarray(RGB), foreign.EagerTensor(RGB.copy())])
def test_an_image_is_a_snapshot(source: Any) -> None:
    """
    What the caller does to the source after construction does not show, also before the file is made.
    """
    image = Image(source)
    if isinstance(source, PIL.Image.Image):
        source.putpixel((0, 0), (255, 255, 255))
    else:
        np.asarray(getattr(source, "_array", source))[:] = 255

    assert RGB.tolist() == decoded(image)


@pytest.mark.parametrize("format", ["gif", "webp", "tiff"])
def test_animated_images_keep_their_frames(format: str, tmp_path: Path) -> None:
    """
    An animated image, as a file or opened by Pillow, keeps all frames; the caller's place in it stays.
    """
    path = tmp_path / f"moving.{format}"
    path.write_bytes(animation(format))
    opened = PIL.Image.open(path)
    opened.seek(1)

    images = [Image(path), Image(opened), Image(opened, format="gif")]

    assert [3, 3, 3] == [getattr(image.to_pil_image(), "n_frames", 1) for image in images]
    assert 1 == opened.tell()
    opened.close()


def test_alpha_on_jpeg_is_pasted_on_white_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """
    The transparent becomes white, and that is said once.
    """
    once.forget()
    clear = np.zeros((8, 8, 4), np.uint8)
    images = [Image(clear, format="jpg"), Image(PIL.Image.fromarray(clear), format="jpeg"), Image(clear, format="bmp")]

    assert [[255, 255, 255]] * 3 == [decoded(image)[4][4] for image in images]
    assert ["RGB"] * 3 == [image.mode for image in images]
    assert 1 == len([record for record in caplog.records if "holds no alpha" in record.message])


def test_a_transparent_colour_is_alpha_too() -> None:
    """
    A palette with a transparent entry is pasted on white in a JPEG, and stays transparent in a PNG and a WebP.
    """
    palette = PIL.Image.new("P", (8, 8))
    palette.putpalette([10, 20, 30])
    palette.info["transparency"] = 0

    assert [255, 255, 255] == decoded(Image(palette, format="jpeg"))[4][4]
    assert 0 == Image(palette, format="png").to_pil_image().convert("RGBA").getpixel((4, 4))[3]  # type: ignore[index]
    assert 0 == Image(palette, format="webp").to_pil_image().getpixel((4, 4))[3]  # type: ignore[index]


@pytest.mark.parametrize(
    ("mode", "values"),
    [
        ("F", np.array([[0.5, -1e5], [3e7, 1.25]], np.float32)),
        ("I", np.array([[1, -70_000], [2**31 - 1, 5]], np.int32)),
    ],
)
def test_deep_pixels_of_pillow_are_kept_by_tiff(mode: str, values: Any, tmp_path: Path) -> None:
    """
    Floats and 32-bit integers keep their values in a TIFF, from an image or a file; other formats show them.
    """
    deep = PIL.Image.fromarray(values)
    deep.save(tmp_path / "deep.tiff")
    images = [Image(deep, format="tiff"), Image(tmp_path / "deep.tiff"), Image(tmp_path / "deep.tiff", quality=80)]

    assert [values.tolist()] * 3 == [decoded(image) for image in images]
    assert [mode] * 3 == [image.mode for image in images]
    if mode == "F":
        assert "L" == Image(deep, format="png").mode


def test_sixteen_bit_gray_is_kept_by_png() -> None:
    """
    A 16-bit picture keeps its values in PNG and TIFF and its upper bits elsewhere.
    """
    deep = np.array([[0, 300, 65535]], np.uint16)

    assert [deep.tolist()] * 2 == [decoded(Image(deep, format=format)) for format in ("png", "tiff")]
    assert [[0, 1, 255]] == decoded(Image(deep, format="bmp"))
    assert deep.tolist() == decoded(Image(PIL.Image.fromarray(deep)))
    assert deep.tolist() == decoded(Image(PIL.Image.fromarray(deep.astype(np.int32))))


def test_the_caption_can_be_set_and_the_rest_can_not() -> None:
    """
    A caption is any text or number; format, width, height and size are as the picture is.
    """
    image = Image(RGB)
    assert "" == image.caption
    assert "caption" not in image.stored().fields
    before = image.stored()
    image.caption = "after"

    assert ("after", "after") == (image.caption, image.stored().fields["caption"])
    assert "caption" not in before.fields
    for name in ("format", "width", "height", "size"):
        with pytest.raises(AttributeError):
            setattr(image, name, 5)


@pytest.mark.parametrize("caption", [5, None, 0.5, True, "", "ü"])
def test_captions_keep_their_type(caption: object) -> None:
    """
    A caption of a number or None comes back as such.
    """
    assert caption == again(Image(RGB, caption)).caption


def test_equality_is_of_pixels_and_not_of_captions() -> None:
    """
    Equal are images of one mode, format, size and content; no image is equal to anything else.
    """
    assert Image(RGB) == Image(RGB, caption="other")
    assert Image(RGB) != Image(RGB, format="bmp")
    assert Image(RGB) != Image(RGB[:3])
    assert Image(RGB) != Image(RGB + np.uint8(1))
    assert Image(RGB) != "an image"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Image(RGB))


def test_a_batch_becomes_a_list_with_labels_as_captions() -> None:
    """
    Each item of a batch is an image; labels may be tensors, and may be missing.
    """
    batch = np.stack([RGB, RGB])
    labelled = convert_to_aim_image_list(batch, np.array([7, 1]))

    assert (["7", "1"], [Image(RGB)] * 2) == ([image.caption for image in labelled], labelled)
    assert ["a", ""] == [image.caption for image in convert_to_aim_image_list([RGB, RGB], ["a"])]
    assert ["", ""] == [image.caption for image in convert_to_aim_image_list(batch)]


def test_a_single_image_is_a_batch_of_one() -> None:
    """
    An image, a path or a Pillow image alone is a list of one; a label does not change the caller's image.
    """
    image = Image(RGB, caption="mine")

    assert ["mine"] == [item.caption for item in convert_to_aim_image_list(image)]  # type: ignore[arg-type]
    assert ["7"] == [item.caption for item in convert_to_aim_image_list([image], ["7"])]
    assert "mine" == image.caption
    assert 1 == len(convert_to_aim_image_list(PIL.Image.fromarray(RGB)))  # type: ignore[arg-type]


@pytest.mark.parametrize("format", ["png", "jpeg", "tiff", "gif"])
def test_notebooks_show_images(format: str) -> None:
    """
    A notebook gets HTML with the file inside, or what browsers know in its place, and the caption escaped.
    """
    image = Image(RGB, caption="<b>7</b>", format=format)

    shown = {"tiff": "webp"}.get(format, format)
    assert f"data:image/{shown};base64," in image._repr_html_()
    assert "&lt;b&gt;7&lt;/b&gt;" in image._repr_html_()
    assert f"<Image 5x4 {format} '<b>7</b>'>" == repr(image)
