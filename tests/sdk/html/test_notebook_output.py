"""
What a notebook shows of runs, sequences, collections and objects.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import plotly.graph_objects as go
import pytest

from aim import Audio, Distribution, Figure, Image, Repo, Run, Table, Text, Video
from aim.sdk.html import media
from aim.sdk.objects.registry import restore

EVIL = "<img src=x onerror=alert(1)>\"'&"
QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Iterator[Repo]:
    """
    A repository with 25 runs, each with a curve; the newest with objects, and with evil in every name.
    """
    repo = Repo(tmp_path, init=True)
    for place in range(24):
        with Run(repo=repo, **QUIET) as run:
            run["hparams"] = {"lr": 10.0**-place}
            run.track(place, name="loss")
    run = Run(repo=repo, experiment=EVIL, **QUIET)
    run.name, run.description = EVIL, EVIL
    run.add_tag(EVIL)
    run["hparams"] = {EVIL: EVIL}
    for value in (1.0, math.nan, 0.5, 0.25):
        run.track(value, name=EVIL, context={EVIL: EVIL})
    for step in range(5):
        run.track([Image(np.zeros((3, 2)), caption=EVIL)] * 9, name="images", step=step)
        run.track(Text(EVIL), name="texts", step=step)
        run.track(Audio(np.zeros(8), caption=EVIL), name="audios", step=step)
        run.track(Distribution([1, 2, 2]), name="distributions", step=step)
        run.track(Figure(go.Figure(go.Scatter(y=[3, 1, 2], name=EVIL), {"title": EVIL})), name="figures", step=step)
        run.track(Video(np.zeros((2, 8, 8)), format="gif", caption=EVIL), name="videos", step=step)
        run.track(Table([{EVIL: EVIL, "image": Image(np.zeros((3, 2)))}], caption=EVIL), name="tables", step=step)
    run.log_warning(EVIL, note=EVIL)
    yield repo
    run.close()


def newest(repo: Repo) -> Run:
    """Return the run with the objects."""
    run: Run = next(iter(repo.query_runs().iter_runs())).run
    return run


SHOWN: dict[str, Callable[[Repo], Any]] = {
    "repo": lambda repo: repo,
    "run": newest,
    "metric": lambda repo: next(iter(newest(repo).metrics())),
    "metrics of a run": lambda repo: newest(repo).metrics(),
    "metrics of a query": lambda repo: repo.query_metrics(),
    "runs of a query": lambda repo: repo.query_runs(),
    "images of a query": lambda repo: repo.query_images(),
    "images": lambda repo: newest(repo).get_image_sequence("images"),
    "texts": lambda repo: newest(repo).get_text_sequence("texts"),
    "audios": lambda repo: newest(repo).get_audio_sequence("audios"),
    "distributions": lambda repo: newest(repo).get_distribution_sequence("distributions"),
    "figures": lambda repo: newest(repo).get_figure_sequence("figures"),
    "log records": lambda repo: newest(repo).get_log_records(),
    "an image": lambda repo: newest(repo).get_image_sequence("images").values.last_value()[0],
    "an audio": lambda repo: newest(repo).get_audio_sequence("audios").values.last_value(),
    "a figure": lambda repo: newest(repo).get_figure_sequence("figures").values.last_value(),
    "a text": lambda repo: Text(EVIL),
    "a table": lambda repo: Table([{EVIL: EVIL}], caption=EVIL),
    "a video": lambda repo: Video(b"abc", format="mp4", caption=EVIL),
    "a log record": lambda repo: newest(repo).get_log_records().values.last_value(),
    "an unknown object": lambda repo: restore(EVIL, {EVIL: EVIL}, bytes),
}


class Page(HTMLParser):
    """Reads HTML as a browser does: its elements, the addresses it would fetch, its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag not in ("img", "br"):
            self.open.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        self.addresses += re.findall(r"url\(([^)]*)", " ".join(value or "" for name, value in attrs if name == "style"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(shown: str) -> Page:
    """Read *shown*."""
    page = Page()
    page.feed(shown)
    page.close()
    return page


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_runs_and_nothing_is_fetched(name: str, repo: Repo) -> None:
    """
    Whatever names, params and captions hold: no script, no handler, no address but data, and elements that close.
    """
    page = page_of(SHOWN[name](repo)._repr_html_())

    assert [] == page.open
    assert not page.names & {"script", "iframe", "object", "embed", "link", "style", "form", "a"}
    assert [] == page.handlers
    assert [] == [address for address in page.addresses if not address.startswith("data:")]


@pytest.mark.parametrize(
    "name", [name for name in SHOWN if name not in ("distributions", "audios", "images of a query")]
)
def test_names_of_users_are_shown_as_text(name: str, repo: Repo) -> None:
    """
    The evil name is read, letter by letter.
    """
    shown = SHOWN[name](repo)._repr_html_()

    assert EVIL in page_of(shown).text or 'alt="&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;"' in shown


def test_a_run_shows_its_params_and_curves(repo: Repo) -> None:
    """
    Params, the curve in small with its last value, and what else there is.
    """
    page = page_of(newest(repo)._repr_html_())

    assert "params (1)" in page.text
    assert f"hparams.{EVIL}" in page.text
    assert "metrics (1)" in page.text
    assert "0.25" in page.text
    assert {"svg", "details"} <= page.names
    assert "list(aim.image)" in page.text


def test_a_metric_shows_its_ends_and_gaps(repo: Repo) -> None:
    """
    Last, lowest and highest value with their steps, and how many are no numbers.
    """
    text = page_of(next(iter(newest(repo).metrics()))._repr_html_()).text

    assert "last 0.25 at step 3  ·  min 0.25 at step 3  ·  max 1 at step 0  ·  1 NaN or infinite" in text


def test_integers_are_shown_with_all_their_digits(tmp_path: Path) -> None:
    """
    Params and values of metrics beyond 2^53 stand digit by digit on a run, a metric and a list of runs.
    """
    repo = Repo(tmp_path, init=True)
    with Run(repo=repo, **QUIET) as run:
        run["seed"] = 2**63 - 1
        for step in range(3):
            run.track(2**60 + step, name="tokens", step=step)
    metric = next(iter(newest(repo).metrics()))

    assert f"{2**63 - 1:,}" in page_of(run._repr_html_()).text
    assert f"last {2**60 + 2:,} at step 2  ·  min {2**60:,} at step 0  ·  max {2**60 + 2:,} at step 2" in (
        page_of(metric._repr_html_()).text
    )
    assert f"{2**60 + 2:,}" in page_of(repo.query_runs()._repr_html_()).text


def test_collections_show_the_first_and_count_the_rest(repo: Repo) -> None:
    """
    20 rows are shown of 25, of a repository 10.
    """
    of_metrics, of_runs = repo.query_metrics()._repr_html_(), repo.query_runs()._repr_html_()

    assert [20, 20, 10] == [shown.count("<tr") - 1 for shown in (of_metrics, of_runs, repo._repr_html_())]
    assert ["and 5 more", "and 5 more", "and 15 more"] == [
        re.findall(r"and \d+ more", shown)[0] for shown in (of_metrics, of_runs, repo._repr_html_())
    ]
    assert "no run matches" in repo.query_runs("run.name == 'nobody'")._repr_html_()
    assert "nothing matches" in repo.query_metrics("metric.name == 'nothing'")._repr_html_()


def test_sequences_of_objects_show_the_last_steps(repo: Repo) -> None:
    """
    The steps 4, 3 and 2, eight images of each, and how many are left out.
    """
    shown = newest(repo).get_image_sequence("images")._repr_html_()

    assert ["4", "3", "2"] == re.findall(r"<td[^>]*>(\d)</td>", shown)
    assert (24, 3) == (shown.count("<img"), shown.count("and 1 more"))
    assert "and 2 more" in shown


def test_a_run_that_was_deleted_says_so(repo: Repo) -> None:
    """
    A remark, and no traceback in the notebook.
    """
    with Run(repo=repo, **QUIET) as run:
        pass
    repo.delete_run(run.hash)

    assert f"RunNotFound: Run {run.hash} was deleted" in run._repr_html_()


def test_a_large_image_is_shown_smaller() -> None:
    """
    A file beyond 1 MiB becomes a WebP within 1024 pixels; the output says how large the image is.
    """
    noise = np.random.default_rng(0).integers(0, 255, (1200, 1300, 3), dtype=np.uint8)
    shown = Image(noise)._repr_html_()

    assert len(shown) < 1_400_000
    assert "data:image/webp;base64," in shown
    assert "1300 x 1200 png" in shown


def test_a_large_sound_is_named_and_not_embedded() -> None:
    """
    Beyond 8 MiB the output holds its size.
    """
    shown = Audio(np.zeros(5_000_000, np.int16), rate=44_100)._repr_html_()

    assert "9.5 MiB: more than the 8.0 MiB" in page_of(shown).text
    assert "<audio" not in shown


def test_an_image_that_is_none_is_a_remark() -> None:
    """
    Bytes that can't be decoded do not break the output.
    """
    broken = restore("aim.image", {"format": "tiff", "width": 2, "height": 3}, lambda: b"no image")

    assert "can't be shown: it is no picture" in page_of(broken._repr_html_()).text  # type: ignore[attr-defined]


def test_boxes_lie_over_their_image() -> None:
    """
    Each box is a rectangle in the picture's own pixels.
    """
    shown = Image(np.zeros((30, 40)), boxes=[{"box": (1, 2, 3, 4), "label": "<cat>"}])._repr_html_()

    assert 'viewBox="0 0 40 30"' in shown
    assert '<rect x="1" y="2" width="3" height="4"><title>&lt;cat&gt;</title></rect>' in shown


def test_a_reference_is_shown_without_its_original(tmp_path: Path) -> None:
    """
    The small picture is in the output; of a sound only the address, as text.
    """
    path = tmp_path / "photo.png"
    PIL.Image.new("RGB", (300, 200)).save(path)
    (tmp_path / "speech.mp3").write_bytes(b"ID3")
    image, sound = Image.from_uri(path), Audio.from_uri(tmp_path / "speech.mp3")
    shown = image._repr_html_()
    path.unlink()

    assert "data:image/webp;base64," in shown
    assert "300 x 200 PNG" in shown
    assert f"at {sound.uri}" in page_of(sound._repr_html_()).text


def test_a_figure_is_a_still_picture_where_plotly_is_not() -> None:
    """
    Lines of numbers are drawn; plotly's own form goes beside them.
    """
    figure = Figure(go.Figure([go.Scatter(y=np.arange(5.0)), go.Scatter(x=["a", "b"], y=[1, 2]), go.Pie(values=[1])]))
    bundle = figure._repr_mimebundle_()

    assert {"application/vnd.plotly.v1+json", "text/html", "text/plain"} == set(bundle)
    assert "3 traces: scatter, pie" in bundle["text/html"]
    assert 2 == bundle["text/html"].count("fill:none;stroke:var") + bundle["text/html"].count("fill:none;stroke:#")


def test_one_thing_is_told_of_as_one(tmp_path: Path) -> None:
    """
    Heads and notes have the singular where there is one.
    """
    with Run(repo=Repo(tmp_path, init=True), **QUIET) as run:
        run.track(1.0, name="loss")
    loss = run.get_metric("loss")

    assert "1 trace: scatter" in Figure(go.Figure(go.Scatter(y=[1, 2])))._repr_html_()
    assert "1 sample was NaN or infinite" in Distribution([1.0, math.nan])._repr_html_()
    assert "2 samples were NaN or infinite" in Distribution([1.0, math.nan, math.inf])._repr_html_()
    assert loss is not None
    assert "<SequenceData of 1 point: val, epoch, time>" == repr(loss.data)
    assert "1 point" in page_of(loss._repr_html_()).text


def test_scaled_pictures_keep_their_shape() -> None:
    """
    The longer side has the wished size; 16 bit gray and alpha are understood.
    """
    for mode in ("RGB", "RGBA", "L", "I;16", "P", "CMYK"):
        made = io.BytesIO()
        PIL.Image.new(mode, (400, 200)).save(made, "tiff")
        assert (100, 50) == PIL.Image.open(io.BytesIO(media.scaled(made.getvalue(), 100))).size
