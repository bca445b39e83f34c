"""
The pictures of the documentation are of today's pages: each page of the UI is shown, in both themes, by the runs of
`aim demo`.

`make pictures` makes them again. Here they are compared by name and size; what is in them changes with every clock.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import PIL.Image
import pytest
from click.testing import CliRunner
from playwright import sync_api

from aim import Repo
from aim.cli.main import aim
from tests.ui.conftest import ROOT, Open, in_both_themes, serving

IMAGES = ROOT / "docs" / "images"
WRITES = "DOCS_PICTURES"  # 1: the pictures are written, not compared
SIZE: sync_api.ViewportSize = {"width": 1280, "height": 800}
QUALITY = 82
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# name -> the address, and what is there when the page is drawn
PAGES = {
    "metrics": ("metrics?color=hparams.model&smooth=0.5&q=run.experiment == 'demo'", "canvas"),
    "runs": ("runs", ".cell, td, [role=gridcell]"),
    "figure": ("metrics?q=run.name == 'baseline'", "[data-scales]"),
    "params": ("params", "canvas"),
    "media": ("media", "img"),
    "objects3d": ("media?type=objects3d", "canvas[data-drawn]"),
    "text": ("text", "text=the ball is at"),
    "run": ("run/{baseline}", "canvas"),
    "compare": ("compare?runs={baseline},{fork}", "text=hparams"),
    "reports": ("reports", "main, body"),
    "alerts": ("alerts", "text=Channels"),
}

# The sheet of pages at four widths: what it shows, how many times smaller, and the space between.
SHEET = "widths"
SHEET_PAGES = ("metrics", "runs", "params", "media")
SHEET_SIZES = ((1920, 1080), (1440, 900), (1024, 768), (390, 844))
SHEET_SCALE = 4
SHEET_GAP = 8


def sheet_size() -> tuple[int, int]:
    """Return how large the sheet is, in pixels."""
    width = sum(width // SHEET_SCALE + SHEET_GAP for width, _ in SHEET_SIZES)
    height = max(height // SHEET_SCALE for _, height in SHEET_SIZES) + SHEET_GAP
    return width + SHEET_GAP, height * len(SHEET_PAGES) + SHEET_GAP


def sheet_of(page: sync_api.Page, address: str) -> PIL.Image.Image:
    """Return pages at four widths beside each other, a row for each page."""
    sheet = PIL.Image.new("RGB", sheet_size(), (128, 128, 128))
    row_height = (sheet.height - SHEET_GAP) // len(SHEET_PAGES)
    for row, name in enumerate(SHEET_PAGES):
        left = SHEET_GAP
        path, drawn = PAGES[name]
        for width, height in SHEET_SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.goto(address + path)
            page.locator(drawn).first.wait_for()
            page.wait_for_load_state("networkidle")
            picture = PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            small = picture.resize((width // SHEET_SCALE, height // SHEET_SCALE), PIL.Image.Resampling.LANCZOS)
            sheet.paste(small, (left, SHEET_GAP + row * row_height))
            left += small.width + SHEET_GAP
    return sheet


# name -> what is pressed, one after the other, before the picture is taken
PRESSED = {"figure": ("More for accuracy val", "Figure for a paper or a slide")}


@pytest.fixture(name="demo", scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """
    The address of a server of the demo, and the hashes of its runs by name.
    """
    root = tmp_path_factory.mktemp("pictures") / "demo"
    assert 0 == CliRunner().invoke(aim, ["demo", "--repo", str(root), "--live-minutes", "0"]).exit_code
    runs = {str(run.name): run.hash for run in Repo(str(root)).runs()}
    with serving("--repo", str(root)) as address:
        yield address, {"baseline": runs["baseline"], "fork": runs["baseline, lower rate"]}


@pytest.mark.parametrize("name", PAGES)
@in_both_themes
def test_each_page_has_its_picture(name: str, theme: str, demo: tuple[str, dict[str, str]], open_page: Open) -> None:
    """
    A page draws the demo, and the documentation has a picture of it of that size, in this theme.
    """
    address, hashes = demo
    path, drawn = PAGES[name]
    page = open_page(address + path.format(**hashes))
    page.set_viewport_size(SIZE)
    page.locator(drawn).first.wait_for()
    page.wait_for_load_state("networkidle")
    for label in PRESSED.get(name, ()):
        page.get_by_label(label).or_(page.get_by_role("menuitem", name=label)).first.click()
    picture = PIL.Image.open(io.BytesIO(page.screenshot()))
    file = IMAGES / f"{name}-{theme}.webp"
    if os.environ.get(WRITES):
        picture.convert("RGB").save(file, quality=QUALITY, method=6)

    with PIL.Image.open(file) as shown:
        assert picture.size == shown.size


@in_both_themes
def test_four_widths_have_a_sheet(theme: str, demo: tuple[str, dict[str, str]], open_page: Open) -> None:
    """
    The documentation has a sheet of pages at four widths, in this theme. That they fit is tested in test_steps.py.
    """
    file = IMAGES / f"{SHEET}-{theme}.webp"
    if os.environ.get(WRITES):
        sheet_of(open_page(demo[0]), demo[0]).save(file, quality=QUALITY, method=6)

    with PIL.Image.open(file) as shown:
        assert sheet_size() == shown.size


def test_the_guide_shows_each_picture() -> None:
    """
    Each picture is on a page of the documentation, in both themes, and there is no other one.
    """
    text = "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    names = {f"{name}-{theme}.webp" for name in (*PAGES, SHEET) for theme in THEMES}

    assert names == {file.name for file in IMAGES.iterdir()}
    assert [] == sorted(name for name in names if f"images/{name}" not in text)
