"""
What a person takes out of the pages: runs and points as CSV, Parquet and JSON, charts as pictures.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image
from playwright import sync_api

from tests.ui.conftest import Open
from tests.ui.recording import BEST_RUN, SPIKE_STEP, SPIKE_VALUE, SPIKED_RUN

expect = sync_api.expect
Row = dict[str, object]
CARD = 'loss{"subset":"train"}'


def saved(page: sync_api.Page, item: str, folder: Path) -> Path:
    """Press an item of the open menu; give the file that the browser saved."""
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=item).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def rows_of(path: Path) -> list[Row]:
    """Read a table's rows, whatever its form."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [dict(row) for row in csv.DictReader(file)]
    if path.suffix == ".json":
        return list(json.loads(path.read_text(encoding="utf-8")))
    return list(pyarrow.parquet.read_table(path).to_pylist())


@pytest.mark.parametrize("form", ["CSV", "Parquet", "JSON"])
def test_the_table_of_runs_is_saved(open_page: Open, server: str, tmp_path: Path, form: str) -> None:
    """
    The file has the matching runs with the columns of the table, in its order.
    """
    page = open_page(server + 'runs?q=run.hparams.model == "vit-s"&sort=-metric:accuracy{"subset":"val"}:last')
    page.locator(".grid .row").nth(7).wait_for()

    page.get_by_role("button", name="Export").click()
    rows = rows_of(saved(page, form, tmp_path))

    assert 8 == len(rows)
    assert BEST_RUN == rows[0]["run.name"]
    assert {"hash", "hparams.lr"} < set(rows[0])


def test_the_runs_are_saved_as_one_page(open_page: Open, server: str, tmp_path: Path) -> None:
    """
    The page has the matching runs, with their curves.
    """
    page = open_page(server + 'runs?q=run.hparams.model == "vit-s"')
    page.locator(".grid .row").nth(7).wait_for()

    page.get_by_role("button", name="Export").click()
    path = saved(page, "One HTML page", tmp_path)

    assert b'<script type="application/octet-stream" id="curves">' in path.read_bytes()
    assert ".html" == path.suffix


@pytest.mark.parametrize("form", ["CSV", "Parquet", "JSON"])
def test_the_points_of_a_chart_are_saved(open_page: Open, server: str, tmp_path: Path, form: str) -> None:
    """
    The file has every point of the card's curves, the spike among them.
    """
    page = open_page(server + f'metrics?q=run.name == "{SPIKED_RUN}"')
    page.locator(f"[data-card='{CARD}'] [data-scales]").wait_for()

    page.get_by_role("button", name="More for loss train").click()
    rows = rows_of(saved(page, f"{form} of all points", tmp_path))

    assert 200 == len(rows)
    assert SPIKE_VALUE == max(float(str(row["value"])) for row in rows)
    assert SPIKE_VALUE == float(str(next(row["value"] for row in rows if SPIKE_STEP == int(str(row["step"])))))


def test_a_chart_is_saved_as_a_picture(open_page: Open, server: str, tmp_path: Path) -> None:
    """
    The PNG has twice the size of the chart on the screen, the SVG its title and a path for each curve.
    """
    page = open_page(server + 'metrics?q=run.hparams.model == "vit-s"')
    chart = page.locator(f"[data-card='{CARD}'] [data-scales]")
    chart.wait_for()
    page.locator(f"[data-card='{CARD}'] .waiting").wait_for(state="detached")
    box = chart.bounding_box()
    assert box is not None

    page.get_by_role("button", name="More for loss train").click()
    with Image.open(saved(page, "PNG picture", tmp_path)) as picture:
        assert round(box["width"]) * 2 == picture.width
        assert picture.height > box["height"] * 2
    page.get_by_role("button", name="More for loss train").click()
    text = saved(page, "SVG picture", tmp_path).read_text(encoding="utf-8")
    assert "loss train" in text
    assert text.count("<path") >= 8


def test_a_chart_is_saved_as_a_figure_for_a_paper(open_page: Open, server: str, tmp_path: Path) -> None:
    """
    The PDF has the chosen size, font and title, and its text is text; the choice is kept for the next chart.
    """
    pypdf = pytest.importorskip("pypdf")
    page = open_page(server + 'metrics?q=run.hparams.model == "vit-s"')
    page.locator(f"[data-card='{CARD}'] [data-scales]").wait_for()
    page.locator(f"[data-card='{CARD}'] .waiting").wait_for(state="detached")
    page.get_by_role("button", name="More for loss train").click()
    page.get_by_role("menuitem", name="Figure for a paper or a slide").click()
    page.get_by_role("button", name="two columns").click()
    page.get_by_label("width, mm").fill("120")
    page.get_by_label("font").select_option("Times")
    page.get_by_label("title").fill("Loss of the training")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PDF").click()
    download.value.save_as(tmp_path / "figure.pdf")
    (sheet,) = pypdf.PdfReader(tmp_path / "figure.pdf").pages
    fonts: set[str] = set()

    def hear(text: str, matrix: object, state: object, font: dict[str, str] | None, size: float) -> None:
        if text.strip() and font is not None:
            fonts.add(font["/BaseFont"])

    text = sheet.extract_text(visitor_text=hear)

    assert "Loss-of-the-training.pdf" == download.value.suggested_filename
    assert (120, 87) == tuple(round(float(side) / 72 * 25.4) for side in (sheet.mediabox.width, sheet.mediabox.height))
    assert "Loss of the training" in text
    assert "step" in text
    assert {"/Times-Roman", "/Times-Bold"} == fonts
    assert 8 <= sheet.get_contents().get_data().count(b" m\n")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    assert 'width="120mm" height="87mm"' in Path(download.value.path()).read_text(encoding="utf-8")
    page.reload()
    page.locator(f"[data-card='{CARD}'] [data-scales]").wait_for()
    page.get_by_role("button", name="More for loss train").click()
    page.get_by_role("menuitem", name="Figure for a paper or a slide").click()
    expect(page.get_by_label("width, mm")).to_have_value("120")
    page.get_by_label("title").fill("α of the training")
    page.get_by_role("button", name="Save PDF").click()
    expect(page.get_by_text("The fonts of PDF have no α. Save the figure as SVG instead.")).to_be_visible()
