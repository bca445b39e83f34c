"""
3D objects on the pages: drawn by WebGL, turned together, and nothing outside their files is fetched.

The browser of the tests has no graphics card; it draws in software, as a machine without one does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from playwright import sync_api

from aim import Object3D, Run
from aim.convert import export
from aim.convert.exporting.page_choice import PageChoice
from aim.sdk.objects.registry import restore
from tests.sdk.objects.shapes import FILES, gltf
from tests.ui.conftest import BROWSER_ARGS, BROWSER_START_S_MAX, Open, browser_path, in_both_themes, serving

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect

NAMES = ("one", "two")
# How many pixels of a view are not clear.
INK = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}"""
# What a view shows once it is drawn: a change is drawn in the next frame.
PICTURE = """canvas => new Promise(done =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(canvas.toDataURL()))))"""


@pytest.fixture(name="shapes", scope="module")
def _shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Two runs with an object of each format, points at three steps, and a glTF that names a file elsewhere.
    """
    folder = tmp_path_factory.mktemp("shapes") / "shapes"
    random = np.random.default_rng(0)
    for name in NAMES:
        with Run(repo=folder, experiment="shapes", system_tracking_interval=None) as run:
            run.name = name
            for step in range(3):
                points = random.normal(size=(300, 3))
                run.track(Object3D(points, colors=np.full((300, 3), 0.5)), name="scan", step=step)
            for format_name, file in FILES.items():
                run.track(
                    Object3D(file, format=format_name, caption=format_name),
                    name="files",
                    step=0,
                    context={"as": format_name},
                )
            pressed = {"asset": {"version": "2.0"}, "extensionsRequired": ["KHR_draco_mesh_compression"]}
            run.track(Object3D(json.dumps(pressed).encode(), format="gltf"), name="pressed", step=0)
            evil = gltf("http://192.0.2.1/body.bin")
            run.track(restore("aim.object3d", {"format": "gltf"}, partial(bytes, evil)), name="outside", step=0)
    return folder


@pytest.fixture(name="address", scope="module")
def _address(shapes: Path) -> Iterator[str]:
    """
    The address of a server of these runs.
    """
    with serving("--repo", str(shapes)) as address:
        yield address


def drawn(page: sync_api.Page, label: str) -> list[sync_api.Locator]:
    """Return the views of that label, once they are drawn."""
    views = page.get_by_role("application", name=label).locator("canvas[data-drawn]")
    expect(views).to_have_count(len(NAMES))
    return views.all()


@in_both_themes
def test_points_are_drawn_and_turned_together(open_page: Open, address: str, shot: Shot) -> None:
    """
    A drag turns the objects of all runs; the address keeps the camera, and a reload and the key 0 lead back to it.
    """
    page = open_page(f"{address}media?seq=scan")
    views = drawn(page, "scan, step 2")
    assert all(view.evaluate(INK) > 500 for view in views)
    shot(page)
    before = [view.evaluate(PICTURE) for view in views]
    box = views[0].bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=4)
    page.mouse.up()

    expect(page).to_have_url(re.compile(r"camera=5,35,1,0,0"))
    assert all(picture != view.evaluate(PICTURE) for view, picture in zip(views, before, strict=True))
    turned = views[1].evaluate(PICTURE)
    page.reload()
    assert turned == drawn(page, "scan, step 2")[1].evaluate(PICTURE)
    page.get_by_role("application").first.press("0")
    expect(page).not_to_have_url(re.compile("camera="))


def test_keys_turn_move_and_zoom(open_page: Open, address: str) -> None:
    """
    Arrows turn, with Shift they move; + and - zoom; the axis that points up is chosen.
    """
    page = open_page(f"{address}media?seq=scan")
    drawn(page, "scan, step 2")
    view = page.get_by_role("application").first
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowUp", "+"):
        view.press(key)
    expect(page).to_have_url(re.compile(r"camera=25,35,1\.25,0,0\.1"))
    page.get_by_role("group", name="Which axis points up").get_by_role("button", name="y", exact=True).click()
    expect(page).to_have_url(re.compile("up=y"))
    page.get_by_role("button", name="Reset the view").click()
    expect(page).not_to_have_url(re.compile("camera="))


def test_steps_lead_through_the_objects(open_page: Open, address: str) -> None:
    """
    The slider of media goes through 3D objects, too; one is enlarged.
    """
    page = open_page(f"{address}media?seq=scan&step=0")
    first = drawn(page, "scan, step 0")[0].evaluate(PICTURE)
    page.keyboard.press("]")

    drawn(page, "scan, step 1")
    page.wait_for_function(
        f"async first => first !== await ({PICTURE})(document.querySelector('canvas[data-drawn]'))", arg=first
    )
    page.get_by_role("button", name="Enlarge scan, step 1").first.click()
    large = page.get_by_role("dialog").locator("canvas[data-drawn]")
    expect(large).to_have_count(1)
    assert large.evaluate(INK) > 500


def test_files_of_each_format_are_drawn_and_none_fetches_another(open_page: Open, address: str) -> None:
    """
    What a glTF names outside itself is named on the page, and no request leaves it.
    """
    page = open_page(f"{address}media")
    for name in FILES:
        view = page.get_by_role("application", name=name, exact=True).first
        view.scroll_into_view_if_needed()
        expect(view.locator("canvas[data-drawn]")).to_have_count(1)
        assert view.locator("canvas").evaluate(INK) > 500
    outside = page.get_by_role("region", name="outside")
    outside.scroll_into_view_if_needed()

    expect(outside.get_by_text("it names the file http://192.0.2.1/body.bin, which is not inside")).to_have_count(2)


def test_a_compressed_file_is_named_as_such_and_offered(open_page: Open, address: str) -> None:
    """
    A mesh that is compressed with Draco is not drawn; the page says so, and the file can be downloaded.
    """
    page = open_page(f"{address}media?seq=pressed")
    piece = page.locator("figure.solid").first

    expect(piece).to_contain_text(
        "This gltf can't be drawn: it is compressed with Draco, which this page does not read. The download is whole."
    )
    with page.expect_download() as download:
        piece.get_by_role("link", name="Download", exact=True).click()
    assert b"KHR_draco_mesh_compression" in Path(download.value.path()).read_bytes()


def test_runs_are_compared_by_their_objects(open_page: Open, address: str) -> None:
    """
    The page that compares runs has the objects of each beside each other, with a slider and the controls.
    """
    page = open_page(f"{address}runs")
    boxes = page.locator(".grid .row").get_by_role("checkbox")
    expect(boxes).to_have_count(len(NAMES))
    for box in boxes.all():
        box.click()
    page.keyboard.press("c")
    section = page.get_by_role("region", name="3D objects")
    section.get_by_text("scan").first.scroll_into_view_if_needed()

    expect(section.get_by_role("application", name="scan").locator("canvas[data-drawn]")).to_have_count(len(NAMES))
    expect(section.get_by_label("Step", exact=True)).to_be_visible()
    expect(section.get_by_role("button", name="Reset the view")).to_be_visible()


def test_a_run_has_them_on_its_page(open_page: Open, address: str) -> None:
    """
    The tab of a run has them with their caption, and the controls.
    """
    page = open_page(f"{address}runs")
    page.get_by_role("link", name="one", exact=True).click()
    page.get_by_role("tab", name="3D objects").click()

    expect(page.get_by_role("application").locator("canvas[data-drawn]").first).to_be_visible()
    expect(page.get_by_role("button", name="Reset the view")).to_be_visible()


def test_a_browser_without_webgl_says_so(browser: sync_api.Browser, address: str) -> None:
    """
    There is a sentence in the place of each object, and its file can be downloaded.
    """
    plain = browser.browser_type.launch(
        executable_path=browser_path(), args=[*BROWSER_ARGS, "--disable-3d-apis"], timeout=BROWSER_START_S_MAX * 1000
    )
    page = plain.new_page()
    page.goto(f"{address}media?seq=scan")
    expect(page.get_by_text("This browser has no WebGL 2")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download scan, step 2").first.click()
    file = Path(download.value.path()).read_bytes()
    plain.close()

    assert 300 == Object3D(file).get().getvalue().count(b"\x80\x80\x80")


def test_a_page_in_one_file_draws_them(browser: sync_api.Browser, shapes: Path, tmp_path: Path) -> None:
    """
    With the files of media in it, the page turns objects without a network; without them it has no such script.
    """
    small, full = tmp_path / "small.html", tmp_path / "full.html"
    export(shapes, small)
    export(shapes, full, page=PageChoice(media="full"))
    context = browser.new_context(offline=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"{full.as_uri()}#media?seq=scan")
    view = drawn(page, "scan, step 2")[0]

    assert view.evaluate(INK) > 500
    page.goto(f"{small.as_uri()}#media?seq=scan")
    expect(page.get_by_text("3D objects are drawn by the pages of `aim up`")).to_have_count(2)
    assert small.stat().st_size + 500_000 < full.stat().st_size
    assert [] == faults
    context.close()
