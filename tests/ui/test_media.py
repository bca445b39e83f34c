"""
The media page: what is drawn over images, sounds with their shape, videos, tables, and going through steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from playwright import sync_api

from aim import Audio, Image, Run, Table
from tests.ui.conftest import Open, in_both_themes, serving
from tests.ui.recording import OBJECTS_RUN, SOUND_S

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect

QUERY = f'run.name == "{OBJECTS_RUN}"'
# The colours that a mask has on the page: of the class at (20, 20), and of how many pixels.
MASK = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const words = new Uint32Array(data.buffer);
    const counts = {};
    for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
    return { size: [canvas.width, canvas.height], clear: counts[0] ?? 0, colors: Object.keys(counts).length };
}"""


def label_boxes(picture: sync_api.Locator) -> list[sync_api.FloatRect]:
    """Return where the labels of an image's boxes lie on the screen."""
    found = [label.bounding_box() for label in picture.locator(".box-label > rect").all()]
    return [box for box in found if box is not None]


def overlap(one: sync_api.FloatRect, other: sync_api.FloatRect) -> bool:
    """Return whether one label covers some of another one."""
    is_beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    return not is_beside and one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]


@in_both_themes
def test_boxes_and_masks_are_drawn_and_switched(open_page: Open, server: str, shot: Shot) -> None:
    """
    Each class has its colour; a label, a layer or a low score is switched off, and the address says so.
    """
    page = open_page(f"{server}media?q={QUERY}")
    street = page.locator(".framed", has=page.get_by_alt_text("street"))
    mask = street.locator("canvas[data-drawn]")
    expect(mask).to_have_count(1)

    assert {"size": [80, 60], "clear": 0, "colors": 3} == mask.evaluate(MASK)
    expect(street.locator("svg rect[vector-effect]")).to_have_count(3)
    assert 3 == len(label_boxes(street))
    assert not any(overlap(one, other) for one, other in combinations(label_boxes(street), 2))
    shot(page)
    page.get_by_role("button", name="ground").click()
    page.wait_for_function(f"canvas => ({MASK})(canvas).clear === 3000", arg=mask.element_handle())
    page.get_by_role("button", name="truth").click()
    expect(street.locator("svg rect[vector-effect]")).to_have_count(2)
    page.get_by_label("Least score").fill("0.5")
    expect(street.locator("svg rect[vector-effect]")).to_have_count(1)
    assert re.search("off=ground,layer%3Atruth|off=ground,layer%253Atruth", page.url)
    assert "score=0.5" in page.url
    page.get_by_role("button", name="cat").click(modifiers=["Alt"])
    expect(page.get_by_role("button", name="dog")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="cat")).to_have_attribute("aria-pressed", "true")

    page.get_by_alt_text("street").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("canvas[data-drawn]")).to_have_count(1)
    dialog.get_by_role("button", name="guess").click()
    expect(dialog.locator(".overlay")).to_have_count(0)


def test_images_are_below_the_charts_of_their_runs(open_page: Open, server: str) -> None:
    """
    The first page has the images of the runs that are drawn, at the step of its own slider; those of a hidden run go.
    """
    page = open_page(f"{server}metrics?q={QUERY}")
    images = page.get_by_role("region", name="Images", exact=True)
    images.scroll_into_view_if_needed()
    expect(images.get_by_alt_text("street")).to_be_visible()

    images.get_by_alt_text("street").click()
    expect(page.get_by_role("dialog")).to_contain_text("street")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Hide {OBJECTS_RUN}").click()
    expect(images.get_by_alt_text("street")).to_have_count(0)
    expect(images).to_contain_text("The runs of these are hidden.")
    images.get_by_role("link", name="open in Media").click()
    expect(page).to_have_url(re.compile("media[?].*type=images"))


def test_a_large_picture_goes_along_with_the_steps(open_page: Open, server: str) -> None:
    """
    Brackets show the same place at another step, in the large view too.
    """
    page = open_page(server + "media")
    page.get_by_alt_text("0 or 1?").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_contain_text("step 150")
    picture = dialog.locator("img")
    before = picture.get_attribute("src")
    page.keyboard.press("[")
    expect(dialog.get_by_role("heading")).to_contain_text("step 100")
    assert before != picture.get_attribute("src")


def test_two_pictures_are_seen_one_over_the_other(open_page: Open, server: str) -> None:
    """
    Two chosen pictures are zoomed together, and laid over each other with a slider between.
    """
    page = open_page(server + "media")
    for place in (0, 1):
        page.locator(".pickable").nth(place).hover()
        page.locator(".pickable").nth(place).get_by_role("button", name="Choose to compare").click()
    page.get_by_role("button", name="Compare 2").click()

    stages = page.locator(".lightbox .stage")
    expect(stages).to_have_count(2)
    stages.first.hover()
    page.mouse.wheel(0, -300)
    shown = page.locator(".lightbox .shown")
    assert shown.first.get_attribute("style") == shown.last.get_attribute("style")
    assert "scale(2.7" in (shown.first.get_attribute("style") or "")
    page.get_by_role("button", name="one over the other").click()
    page.get_by_label("How much of the first picture").fill("30")
    expect(page.locator(".lightbox .over")).to_have_css("clip-path", "inset(0px 0px 0px 30%)")


def test_an_image_is_deleted_and_brought_back(open_page: Open, tmp_path: Path) -> None:
    """
    A picture that should not be seen is deleted from the large view, alone of its list; Undo shows it again.
    """
    pictures = [Image(np.full((8, 8), level, np.uint8), caption=f"level {level}") for level in (40, 200)]
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(pictures, name="seen", step=0)
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(address + "media")
        page.get_by_alt_text("level 40").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_alt_text("level 40")).to_have_count(0)
        expect(page.get_by_alt_text("level 200")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_alt_text("level 40")).to_be_visible()


@in_both_themes
def test_a_sound_shows_its_shape_and_plays_from_a_place(open_page: Open, server: str, shot: Shot) -> None:
    """
    The samples are decoded in the browser and drawn; the player knows the length, and goes to where it is told.
    """
    page = open_page(f"{server}media?type=audios&q={QUERY}")
    wave = page.locator(".wave canvas[data-drawn=wave]")
    expect(wave).to_have_count(1)

    expect(page.locator(".clock")).to_contain_text(f"0:0{SOUND_S}")
    page.get_by_label("Position in tone 100").fill("1.5")
    expect(page.locator(".clock")).to_contain_text("0:01.5")
    assert 1.5 == page.locator("audio").evaluate("audio => audio.currentTime")
    shot(page)


def test_videos_and_tables_are_shown(open_page: Open, server: str) -> None:
    """
    A video has its caption and speed; a table its rows with their pictures, sorted by a column.
    """
    page = open_page(f"{server}media?type=videos&q={QUERY}")
    expect(page.locator(".clip")).to_contain_text("walk")
    expect(page.locator(".clip")).to_contain_text("5 fps")

    page.get_by_role("button", name="Tables").click()
    table = page.locator(".tableview").first
    expect(table).to_contain_text("150 rows")
    picture = table.locator(".grid img").first
    page.wait_for_function("image => image.complete && image.naturalWidth === 80", arg=picture.element_handle())
    head = table.get_by_role("columnheader", name="sure").get_by_role("button").first
    head.click()
    head.click()
    expect(table.locator(".grid .row").first).to_contain_text("what is 149?")


def test_steps_are_gone_through_by_key_and_by_themselves(open_page: Open, server: str) -> None:
    """
    Brackets move a step; playing begins at the first after the last, and goes on until it is stopped.
    """
    page = open_page(server + "media")
    stepper = page.locator(".stepper")
    expect(stepper).to_contain_text("step 150")

    page.keyboard.press("[")
    expect(stepper).to_contain_text("step 100")
    assert "step=100" in page.url
    page.keyboard.press("]")
    expect(stepper).to_contain_text("last")
    page.get_by_role("button", name="Play the steps").click()
    expect(stepper).to_contain_text("step 0")
    expect(stepper).to_contain_text("step 50")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play the steps")).to_be_visible()


@in_both_themes
def test_media_by_reference_show_where_they_are(open_page: Open, tmp_path: Path, shot: Shot) -> None:
    """
    A sound elsewhere is an address that can be copied, and no player; an image has its small picture above the address.
    """
    (tmp_path / "tone.wav").write_bytes(Audio(np.zeros(80), rate=8000).get().read())
    Image(np.tile(np.linspace(0, 1, 300), (400, 1))).to_pil_image().save(tmp_path / "ramp.png")
    look = Image.from_uri(tmp_path / "ramp.png", caption="ramp", boxes=[{"box": (150, 200, 60, 80), "label": "dim"}])
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(Audio.from_uri(tmp_path / "tone.wav", caption="silence"), name="heard", step=0)
        run.track(look, name="seen", step=0)
        run.track(Table([{"look": look, "sound": Audio.from_uri(tmp_path / "tone.wav")}]), name="both", step=0)
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(f"{address}media?type=audios")
        expect(page.locator(".elsewhere")).to_contain_text("silence")
        expect(page.locator("audio")).to_have_count(0)
        page.get_by_role("button", name="Copy the address").click()
        expect(page.locator(".elsewhere code")).to_have_text((tmp_path / "tone.wav").as_uri())
        assert (tmp_path / "tone.wav").as_uri() == page.evaluate("navigator.clipboard.readText()")
        page.goto(f"{address}media?type=tables")
        expect(page.locator(".tableview .address")).to_contain_text("tone.wav")
        page.goto(f"{address}media?type=images&size=200")
        expect(page.locator(".referred code")).to_have_text((tmp_path / "ramp.png").as_uri())
        picture = page.get_by_alt_text("ramp")
        assert page.wait_for_function("image => image.naturalWidth === 192", arg=picture.element_handle())
        shot(page)
        picture.click()
        expect(page.get_by_role("dialog").locator(".address")).to_contain_text("ramp.png")
        page.goto(f"{address}run/{run.hash}?tab=audios")
        expect(page.locator(".elsewhere .address")).to_contain_text("tone.wav")
