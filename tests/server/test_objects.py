"""
Objects, their bytes and thumbnails.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from aim.sdk.objects.audio import Audio
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.image import Image
from aim.sdk.objects.object3d import Object3D
from aim.sdk.objects.table import Table
from aim.sdk.objects.text import Text
from aim.sdk.objects.video import Video
from tests.server.conftest import Browser, MakeBrowser, MakeRun

PICTURE = np.arange(300 * 400 * 3, dtype=np.uint32).reshape(300, 400, 3).astype(np.uint8)


@pytest.fixture(name="media")
def _media(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    A browser on one run with objects of all types.
    """
    run = make_run("r")
    for step in range(0, 100, 10):
        pictures = [Image(PICTURE, caption=f"{step}-{index}") for index in range(3)]
        run.track(pictures, name="mistakes", step=step, epoch=step / 100, context={"subset": "val"})
    run.track(Image(PICTURE), name="single", step=0)
    run.track(Text("hello"), name="said", step=0)
    run.track(Text("long " * 10_000), name="said", step=1)
    run.track(Distribution([1, 2, 2, 4], bin_count=3), name="weights", step=0)
    run.track(Audio(np.zeros(800), rate=8000, caption="quiet"), name="sound", step=0)
    run.close()
    return make_browser()


def objects(browser: Browser, **request: Any) -> dict[str, Any]:
    """Ask for objects."""
    answer: dict[str, Any] = browser.post("objects", request)
    return answer


def test_steps_are_spread_and_the_last_one_is_always_sent(media: Browser) -> None:
    """
    The requested number of steps is sent, evenly spread, with the last one; of a list the requested items.
    """
    answer = objects(
        media,
        type="images",
        sequences=[{"name": "mistakes"}],
        steps={"from": None, "to": None, "count": 4},
        index={"from": 1, "count": 1},
    )

    (sequence,) = answer["sequences"]
    assert ("mistakes", {"subset": "val"}, "list(aim.image)", 10, 3) == (
        sequence["name"],
        sequence["context"],
        sequence["kind"],
        sequence["count"],
        sequence["index_count"],
    )
    assert list(range(0, 100, 10)) == sequence["steps"]
    assert [(0, "0-1"), (30, "30-1"), (60, "60-1"), (90, "90-1")] == [
        (item["step"], item["caption"]) for item in answer["items"]
    ]
    first = answer["items"][0]
    assert (1, 0.0, "png", 400, 300) == tuple(first[name] for name in ("index", "epoch", "format", "width", "height"))


def test_the_latest_step_not_after_another_is_found(media: Browser) -> None:
    """
    `at` selects the latest step of each sequence that is not after it; null the last step.
    """
    asked: dict[str, Any] = {"type": "images", "sequences": [{"name": "mistakes"}], "index": {"count": 1}}

    assert [20] == [item["step"] for item in objects(media, steps={"at": 29}, **asked)["items"]]
    assert [90] == [item["step"] for item in objects(media, steps={"at": None}, **asked)["items"]]
    assert [] == objects(media, steps={"at": -1}, **asked)["items"]


def test_texts_distributions_and_audio_are_described(media: Browser) -> None:
    """
    A long text is cut and has a blob, a distribution has its weights, audio its rate.
    """
    short, long = objects(media, type="texts")["items"]
    assert "hello" == short["text"]
    assert "cut" not in short
    assert (20_000, True) == (len(long["text"]), long["cut"])
    assert b"long " * 10_000 == media.bytes(f"blobs/{long['blob']}")
    (weights,) = objects(media, type="distributions")["items"]
    assert (3, [1.0, 4.0], [1, 2, 1]) == (weights["bin_count"], weights["range"], weights["weights"])
    (sound,) = objects(media, type="audios")["items"]
    assert ("wav", 8000, "quiet") == (sound["format"], sound["rate"], sound["caption"])


def test_a_query_selects_objects(media: Browser) -> None:
    """
    A query about images selects those that match; a query about metrics selects none.
    """
    answer = objects(media, type="images", query="images.name == 'single'")

    assert (1, ["single"]) == (answer["total"], [sequence["name"] for sequence in answer["sequences"]])
    assert 0 == objects(media, type="images", query="metric.name == 'single'")["total"]


def test_a_query_selects_videos_and_tables(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A query about videos or tables selects them and their runs, and no objects of other types.
    """
    make_run("plain").close()
    run = make_run("r")
    run.track(Video(np.zeros((2, 4, 4), np.uint8), format="gif"), name="episodes")
    run.track([Table([{"a": 1}]), Table([{"a": 2}])], name="worst")
    run.close()
    browser = make_browser()

    for kind, name in (("videos", "episodes"), ("tables", "worst")):
        answer = objects(browser, type=kind, query=f"{kind}.name == '{name}'")
        assert (1, [name]) == (answer["total"], [sequence["name"] for sequence in answer["sequences"]])
        assert 1 == browser.post("runs", {"query": f"{kind}.count == 1"})["count"]
        assert 0 == objects(browser, type=kind, query=f"{kind}.name == 'nothing'")["total"]
        assert 0 == objects(browser, type="images", query=f"{kind}.name == '{name}'")["total"]


def test_bytes_are_kept_by_browsers_for_ever_and_sent_in_parts(media: Browser) -> None:
    """
    A blob is the recorded file, of its type, immutable; a range of it is answered with 206.
    """
    (item,) = objects(media, type="images", sequences=[{"name": "single"}])["items"]
    address = f"{media.base}blobs/{item['blob']}"
    whole = media.client.get(address)

    assert "image/png" == whole.headers["content-type"]
    assert "public, max-age=31536000, immutable" == whole.headers["cache-control"]
    assert item["size"] == len(whole.content)
    assert (PICTURE == np.asarray(Pillow.open(io.BytesIO(whole.content)))).all()
    part = media.client.get(address, headers={"Range": "bytes=10-19"})
    assert (206, whole.content[10:20]) == (part.status_code, part.content)
    assert f"bytes 10-19/{len(whole.content)}" == part.headers["content-range"]
    assert 416 == media.client.get(address, headers={"Range": "bytes=999999999-"}).status_code


@pytest.mark.parametrize(("requested_px", "width"), [(1, 64), (64, 64), (65, 128), (256, 256), (9999, 400)])
def test_a_thumbnail_is_of_the_next_size_and_never_larger(media: Browser, requested_px: int, width: int) -> None:
    """
    Thumbnails are WebP of 64, 128, 256 or 512 pixels; a smaller image keeps its size.
    """
    (item,) = objects(media, type="images", sequences=[{"name": "single"}])["items"]
    small = Pillow.open(io.BytesIO(media.bytes(f"thumbs/{item['blob']}?w={requested_px}")))

    assert ("WEBP", (width, width * 3 // 4)) == (small.format, small.size)


@pytest.mark.parametrize("mode", ["L", "I;16", "RGBA", "P", "1"])
def test_images_of_every_kind_of_pixels_have_thumbnails(
    make_run: MakeRun, make_browser: MakeBrowser, mode: str
) -> None:
    """
    Grey, 16-bit, transparent, indexed and black-and-white images have thumbnails.
    """
    picture = Pillow.new(mode, (100, 50))
    run = make_run("r")
    run.track(Image(picture), name="odd", step=0)
    run.close()
    browser = make_browser()
    (item,) = objects(browser, type="images")["items"]

    assert (64, 32) == Pillow.open(io.BytesIO(browser.bytes(f"thumbs/{item['blob']}?w=64"))).size


@pytest.mark.parametrize("format_name", ["png", "jpeg", "webp", "gif", "bmp", "tiff"])
def test_an_image_of_every_storable_format_is_shown(
    make_run: MakeRun, make_browser: MakeBrowser, format_name: str
) -> None:
    """
    The preview is in a format that browsers show, in full size; without `as` come the bytes that were recorded.
    """
    run = make_run("r")
    is_deep = format_name == "tiff"
    picture = PICTURE[:, :, 0].astype(np.uint16) * 257 if is_deep else PICTURE
    recorded = Image(picture, format=format_name)
    run.track(recorded, name="single", step=0)
    run.close()
    browser = make_browser()
    (item,) = objects(browser, type="images")["items"]
    preview = browser.client.get(f"{browser.base}blobs/{item['blob']}?as=preview")
    original = browser.client.get(f"{browser.base}blobs/{item['blob']}")

    expected_type = "image/png" if is_deep else f"image/{format_name}"
    assert (expected_type, f"image/{format_name}") == (
        preview.headers["content-type"],
        original.headers["content-type"],
    )
    assert original.headers["cache-control"] == preview.headers["cache-control"]
    shown = Pillow.open(io.BytesIO(preview.content))
    assert (400, 300) == shown.size
    if is_deep:
        assert (PICTURE[:, :, 0] == np.asarray(shown.convert("L"))).all()
    assert original.content == browser.bytes(f"blobs/{item['blob']}")
    assert 400 == browser.client.get(f"{browser.base}blobs/{item['blob']}?as=film").status_code


@pytest.mark.parametrize(
    "blob_name",
    ["nothing", "r.00000000.0.0.0", "..%2f..%2fetc.00000000.0.0.0", "r.zzzzzzzz.0.0.0", "gone.0a0a0a0a.0.0.0"],
)
def test_a_wrong_name_of_an_object_is_not_found(media: Browser, blob_name: str) -> None:
    """
    Only objects of runs are sent, whatever the name is.
    """
    assert "not-found" == media.get(f"blobs/{blob_name}", status=404)["kind"]


def test_an_offset_without_a_record_is_answered_as_damage(media: Browser) -> None:
    """
    The answer to an offset between records is an error of kind `damaged`, not a bug.
    """
    (item,) = objects(media, type="images", sequences=[{"name": "single"}])["items"]
    run, writer, number, offset, index = item["blob"].split(".")

    assert "damaged" == media.get(f"blobs/{run}.{writer}.{number}.{int(offset) + 1}.{index}", status=500)["kind"]
    assert "not-found" == media.get(f"blobs/{run}.{writer}.{number}.{offset}.{int(index) + 1}", status=404)["kind"]


def test_only_images_have_thumbnails(media: Browser) -> None:
    """
    The thumbnail of an audio is refused.
    """
    (sound,) = objects(media, type="audios")["items"]

    assert "Only images have thumbnails." == media.get(f"thumbs/{sound['blob']}", status=400)["message"]


@pytest.fixture(name="overlaid")
def _overlaid(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    """
    A browser on one run with an image with overlays, a video and a table.
    """
    run = make_run("r")
    mask = np.arange(300 * 400).reshape(300, 400) % 3
    boxes = [{"box": (10, 20, 30, 40), "label": "cat", "score": 0.9}]
    run.track(Image(PICTURE, boxes=boxes, masks={"guess": mask}, labels={1: "road"}), name="seen", step=0)
    run.track(Video(np.zeros((4, 8, 6, 3)), format="gif", fps=10, caption="walk"), name="walked", step=3)
    rows = [{"guess": index, "sure": float("nan"), "digit": Image(PICTURE)} for index in range(5)]
    run.track(Table(rows, caption="eval"), name="checked", step=7)
    run.close()
    return make_browser()


def test_an_image_has_its_boxes_and_masks(overlaid: Browser) -> None:
    """
    Boxes and labels are in the item, a mask is a file of its own, and the image is its file alone.
    """
    (item,) = objects(overlaid, type="images")["items"]

    assert [{"box": [10, 20, 30, 40], "label": "cat", "score": 0.9}] == item["boxes"]
    assert ([[1, "road"]], ["guess"]) == (item["labels"], item["masks"])
    image = overlaid.bytes(f"blobs/{item['blob']}")
    assert (Image(PICTURE).stored().data, len(image)) == (image, item["size"])
    mask = overlaid.client.get(f"{overlaid.base}blobs/{item['blob']}?part=guess")
    assert "image/png" == mask.headers["content-type"]
    decoded = np.asarray(Pillow.open(io.BytesIO(mask.content)))
    assert (np.arange(300 * 400).reshape(300, 400) % 3).tolist() == decoded.tolist()
    assert 404 == overlaid.client.get(f"{overlaid.base}blobs/{item['blob']}?part=other").status_code


def test_a_video_is_described_and_sent(overlaid: Browser) -> None:
    """
    A video has its size, speed and caption; its bytes have its type.
    """
    (item,) = objects(overlaid, type="videos")["items"]

    assert ("gif", 6, 8, 10.0, 4, "walk") == tuple(
        item[name] for name in ("format", "width", "height", "fps", "frame_count", "caption")
    )
    assert "image/gif" == overlaid.client.get(f"{overlaid.base}blobs/{item['blob']}").headers["content-type"]


def test_a_3d_object_is_described_and_sent(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    An object has its format and the number of its points; its bytes have a type that no browser runs.
    """
    run = make_run("r")
    cloud = Object3D(np.ones((5, 3)), caption="scan")
    run.track([cloud, Object3D(b"v 0 0 0", format="obj")], name="scans", step=2)
    run.close()
    browser = make_browser()
    points, mesh = objects(browser, type="objects3d")["items"]

    assert ("ply", 5, "scan", len(cloud.get().getvalue())) == tuple(
        points[name] for name in ("format", "point_count", "caption", "size")
    )
    assert ("obj", None) == (mesh["format"], mesh["point_count"])
    assert cloud.get().getvalue() == browser.bytes(f"blobs/{points['blob']}")
    sent = browser.client.get(f"{browser.base}blobs/{mesh['blob']}")
    assert "model/obj" == sent.headers["content-type"]


def test_rows_of_a_table_and_objects_of_cells_have_addresses(overlaid: Browser) -> None:
    """
    A table is described without its rows; its rows and the image of a cell have addresses of their own.
    """
    (item,) = objects(overlaid, type="tables")["items"]
    assert (5, "eval", ["int", "float", "aim.image"]) == (
        item["row_count"],
        item["caption"],
        [column["type"] for column in item["columns"]],
    )
    part = overlaid.get(f"tables/{item['blob']}?from=3&limit=1")

    assert (5, 3, 1) == (part["total"], part["from"], len(part["rows"]))
    guess, sure, digit = part["rows"][0]
    assert (3, "NaN", "aim.image", "cells/3-2.png") == (guess, sure, digit["kind"], digit["file"])
    picture = overlaid.client.get(f"{overlaid.base}blobs/{item['blob']}?part={digit['file']}")
    assert ("image/png", Image(PICTURE).stored().data) == (picture.headers["content-type"], picture.content)
    for part_name in ("table.json", "cells/9-9.png", "../secret"):
        assert 404 == overlaid.client.get(f"{overlaid.base}blobs/{item['blob']}?part={part_name}").status_code
    (image,) = objects(overlaid, type="images")["items"]
    assert 400 == overlaid.client.get(f"{overlaid.base}tables/{image['blob']}").status_code


def test_media_by_reference_have_an_address(make_run: MakeRun, make_browser: MakeBrowser, tmp_path: Path) -> None:
    """
    An image has a small copy and the size of the original; audio, video and damaged images have the address alone.
    """
    Pillow.fromarray(PICTURE).save(tmp_path / "cat.png")
    (tmp_path / "walk.gif").write_bytes(Video(np.zeros((2, 4, 4), np.uint8), format="gif").get().read())
    (tmp_path / "tone.wav").write_bytes(Audio(np.zeros(8), rate=8000).get().read())
    (tmp_path / "torn.png").write_bytes((tmp_path / "cat.png").read_bytes()[:300])
    run = make_run("r")
    run.track(Image.from_uri(tmp_path / "cat.png", caption="cat"), name="cat")
    run.track(Image.from_uri(tmp_path / "torn.png"), name="torn")
    run.track(
        Image.from_uri(tmp_path / "torn.png", masks={"guess": np.ones((300, 400), np.uint8)}), name="torn, masked"
    )
    run.track(Video.from_uri(tmp_path / "walk.gif"), name="walk")
    run.track(Audio.from_uri(tmp_path / "tone.wav"), name="tone")
    run.close()
    browser = make_browser()

    (cat,) = objects(browser, type="images", query="images.name == 'cat'")["items"]
    assert ((tmp_path / "cat.png").as_uri(), 400, 300, "webp") == (
        cat["uri"], cat["width"], cat["height"], cat["format"],
    )  # fmt: skip
    assert (256, 192) == Pillow.open(io.BytesIO(browser.bytes(f"blobs/{cat['blob']}"))).size
    for kind, name in (("images", "torn.png"), ("videos", "walk.gif"), ("audios", "tone.wav")):
        for item in objects(browser, type=kind, query=f"{kind}.name != 'cat'")["items"]:
            assert ((tmp_path / name).as_uri(), None) == (item["uri"], item.get("blob"))


@pytest.mark.parametrize("pattern", ["*.events.jsonl", "*.points*", "*.blobs-*"])
def test_a_file_that_can_t_be_read_hides_no_object_of_another_run(
    make_run: MakeRun, make_browser: MakeBrowser, root: Path, pattern: str
) -> None:
    """
    A server that read the runs before, and one that did not, both send images and texts of the other run.
    """
    for name in ("a", "b"):
        run = make_run(name)
        run.track(Image(PICTURE[:8, :8]), name="image")
        run.track(Text("hello"), name="text")
        run.track(0.5, name="loss")
        run.close()
    earlier = make_browser()
    assert 2 == len(objects(earlier, type="texts", sequences=[{"name": "text"}])["sequences"])
    (path,) = (root / ".aim" / "runs" / "a").glob(pattern)
    path.unlink()
    path.mkdir()  # it can't be read as a file

    for browser in (earlier, make_browser()):
        for kind, name in (("images", "image"), ("texts", "text")):
            answer = objects(browser, type=kind, sequences=[{"name": name}])
            assert "b" in [answer["runs"][sequence["run"]] for sequence in answer["sequences"]]
        for run_hash in ("a", "b"):
            assert run_hash == browser.get(f"runs/{run_hash}")["hash"]


def test_rows_of_tables_are_chosen_and_joined(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Rows are filtered, searched and sorted over the whole table, and only the window that was asked for is sent; two
    tables are joined by a column, and long texts are cut.
    """
    with make_run() as run:
        for step in (0, 1):
            rows = [[number, f"answer {number} at {step} " + "x" * 90, number / 10] for number in range(30)]
            run.track(Table(rows, ["id", "answer", "score"]), name="samples", step=step)
    browser = make_browser()
    first, second = (objects(browser, type="tables", steps={"at": step})["items"][0]["blob"] for step in (0, 1))
    clause = {"column": 2, "operator": ">=", "value": 1.5}
    asked = {"blobs": [first], "where": [clause], "find": "AT 0", "sort": {"column": 0, "descending": True}, "from": 2}
    answer = browser.post("tables", {**asked, "limit": 3, "chars": 10})
    assert (30, 15, [27, 26, 25]) == (answer["total"], answer["count"], answer["numbers"])
    assert [27, "answer 27 ", 2.7] == answer["rows"][0]
    assert [[0, 1], [1, 1], [2, 1]] == answer["cut"]

    joined = browser.post(
        "tables", {"blobs": [first, second], "key": "id", "where": [{"column": 0, "operator": "==", "value": 7}]}
    )
    assert [0, 0, 0, 1, 1, 1] == [column["table"] for column in joined["columns"]]
    ((_, old, _, _, new, _),) = joined["rows"]
    assert ("answer 7 at 0", "answer 7 at 1") == (old[:13], new[:13])

    refused: list[dict[str, object]] = [
        {"blobs": []},
        {"blobs": [first], "sort": {"column": 3}},
        {"blobs": [first], "where": [{}]},
    ]
    for body in refused:
        assert 400 == browser.client.post(f"{browser.base}tables", json=body).status_code
    assert 404 == browser.client.post(f"{browser.base}tables", json={"blobs": ["gone-0-0-0"]}).status_code
