"""
A page in one file: what is in it, what has no room, and that nothing in it is markup or asks for anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Image, Run
from aim.convert import export
from aim.convert.exporting import one_file_page
from aim.convert.exporting.page_choice import PageChoice
from aim.core import params
from aim.core.errors import UsageError

BLOCK = re.compile(r'<script type="application/octet-stream" id="(\w+)">([A-Za-z0-9+/=]*)</script>')
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@pytest.fixture(name="bundle", autouse=True)
def _bundle(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A script and a style in place of the built pages, which not every checkout has.
    """
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "page.js").write_text('const text = "</script><!--";')
    (folder / "page.css").write_text("body { margin: 0 }")
    monkeypatch.setattr(one_file_page, "BUNDLE", folder)


def blocks_of(path: Path) -> dict[str, bytes]:
    """Return the blocks of a page, decoded from base64."""
    return {name: base64.b64decode(text) for name, text in BLOCK.findall(path.read_text(encoding="utf-8"))}


def answers_of(path: Path) -> dict[str, Any]:
    """Return the answers in a page."""
    answers: dict[str, Any] = json.loads(zlib.decompress(blocks_of(path)["answers"]))
    return answers


def column_of(path: Path, name: str) -> list[float]:
    """Return the numbers of a column of the curves."""
    answers, data = answers_of(path), zlib.decompress(blocks_of(path)["curves"])
    column = answers["curves"]["columns"][name]
    width = int(column["type"][1])
    ranked = np.frombuffer(data, np.uint8, column["count"] * width, column["at"]).reshape(width, -1)
    numbers: list[float] = np.ascontiguousarray(ranked.T).view(f"<{column['type']}").ravel().tolist()
    return numbers


def test_only_its_own_script_and_style_may_run(repository: Path, tmp_path: Path) -> None:
    """
    The policy forbids every request, and names the hashes of the one script and the one style; the script can't end
    before its end.
    """
    export(repository, tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    (script,) = INLINE.findall(text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert "default-src 'none'" in text
    assert f"script-src 'sha256-{digest}'" in text
    assert "connect-src" not in text
    assert 'const text = "<\\/script><\\!--";' == script


def test_names_of_runs_are_never_markup(tmp_path: Path) -> None:
    """
    What a run is called stands in base64 only, and a query is escaped in the title.
    """
    with Run("evil", repo=tmp_path, create=True, system_tracking_interval=None) as run:
        run.name = "</script><script>alert(1)</script>"
        run.track(1.0, name="<img src=x>", step=0)
    export(tmp_path, tmp_path / "x.html", query="run.name != '<b>'")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")

    assert "alert(1)" not in text
    assert "<img" not in text
    assert "<title>run.name != &#x27;&lt;b&gt;&#x27;" in text


def test_answers_are_those_of_the_server(repository: Path, tmp_path: Path) -> None:
    """
    The runs with all fields, their pages, logs and objects are in the page; paths of this machine are not.
    """
    export(repository, tmp_path / "x.html")
    answers = answers_of(tmp_path / "x.html")
    fields = [tuple(map(str, field[:3])) for field in answers["runs"]["fields"]]

    assert {"full", "bare"} == set(answers["pages"])
    assert ("param", "hparams", "lr") in fields
    assert 0.1 == params.decode(answers["pages"]["full"]["params"])["hparams"]["lr"]
    assert ["a\nb"] == [item["text"] for item in answers["objects"]["texts"]["items"]]
    assert "" == answers["info"]["repos"][0]["path"]
    assert not any(artifact["here"] for artifact in answers["pages"]["full"]["artifacts"])
    assert str(repository) not in json.dumps(answers["pages"]["full"]["artifacts"])


def test_a_query_about_metrics_leaves_the_others_out(repository: Path, tmp_path: Path) -> None:
    """
    Neither curves nor names of other sequences are in the page, nor those of other runs.
    """
    export(repository, tmp_path / "x.html", query='metric.name == "loss"')
    answers = answers_of(tmp_path / "x.html")

    assert [["loss"]] == [[metric["name"]] for metric in answers["curves"]["metrics"]]
    assert ["loss"] == [item["name"] for item in answers["fields"]["sequences"]]
    assert ["full"] == list(answers["pages"])
    assert {} == answers["objects"]


def test_a_long_curve_keeps_its_extremes(tmp_path: Path) -> None:
    """
    Of 20,000 points about 2,000 stay, the least and the greatest among them; `is_whole` keeps all with all digits.
    """
    with Run("long", repo=tmp_path, create=True, system_tracking_interval=None) as run:
        for step in range(20_000):
            run.track(9.25 if step == 7777 else -9.25 if step == 12345 else step % 7 / 7, name="loss", step=step)
    reduced = export(tmp_path, tmp_path / "x.html")
    whole = export(tmp_path, tmp_path / "y.html", page=PageChoice(is_whole=True))
    values = column_of(tmp_path / "x.html", "values")

    assert 500 < reduced.points <= 2_000
    assert (9.25, -9.25) == (max(values), min(values))
    assert 20_000 == whole.points
    assert [step % 7 / 7 for step in range(7)] == column_of(tmp_path / "y.html", "values")[:7]
    assert False is answers_of(tmp_path / "x.html")["is_whole"]


def test_what_has_no_room_is_left_out_largest_first(tmp_path: Path) -> None:
    """
    With little room the largest pictures go, and the page names them; without any room it is an error.
    """
    noise = np.random.default_rng(1).integers(0, 255, (256, 256, 3), np.uint8)
    with Run("pictures", repo=tmp_path, create=True, system_tracking_interval=None) as run:
        run.track(Image(noise, caption="large"), name="noise", step=0)
        run.track(Image(noise[:8, :8], caption="small"), name="noise", step=1)
        run.track(1.0, name="loss", step=0)
    everything = export(tmp_path, tmp_path / "x.html", page=PageChoice(media="full"))
    room = PageChoice(media="full", max_bytes=everything.size_bytes - 1000)
    report = export(tmp_path, tmp_path / "y.html", page=room)
    answers = answers_of(tmp_path / "y.html")

    assert 1 == len(answers["media"])
    assert 1 == len(answers["left_out"])
    assert "large" in answers["left_out"][0]
    assert report.size_bytes <= room.max_bytes
    with pytest.raises(UsageError, match="--max-bytes"):
        export(tmp_path, tmp_path / "z.html", page=PageChoice(max_bytes=1000))


def test_media_are_small_pictures_files_or_none(repository: Path, tmp_path: Path) -> None:
    """
    `thumbs` has small WebP pictures, `full` the files as they were tracked and sounds too, `none` nothing.
    """
    types = {}
    for media in ("thumbs", "full", "none"):
        export(repository, tmp_path / f"{media}.html", page=PageChoice(media=media))
        types[media] = sorted(medium["type"] for medium in answers_of(tmp_path / f"{media}.html")["media"].values())

    assert ["image/webp", "image/webp"] == types["thumbs"]
    assert ["audio/wav", "image/png", "image/png"] == types["full"]
    assert [] == types["none"]


def test_pages_that_were_not_built_are_an_error(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In a checkout without built pages the error says how to build them, and no file is left.
    """
    monkeypatch.setattr(one_file_page, "BUNDLE", tmp_path / "none")

    with pytest.raises(one_file_page.PagesNotBuilt, match="make ui"):
        export(repository, tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


def test_long_integers_keep_all_their_digits(tmp_path: Path) -> None:
    """
    Integers beyond 2^53 stand beside the doubles of their curve, also when the curve is reduced.
    """
    with Run("r", repo=tmp_path, create=True, system_tracking_interval=None) as run:
        run["seed"] = 2**63 - 1
        for step in range(3_000):
            run.track(2**60 + step if step == 2_999 else step, name="tokens", step=step)
        run.track(0.5, name="loss", step=0)
    export(tmp_path, tmp_path / "x.html")
    answers = answers_of(tmp_path / "x.html")
    curves = answers["curves"]
    tokens = [curves["metrics"][metric]["name"] for metric in curves["metric"]].index("tokens")

    assert [[curves["n"][tokens] - 1, 2**60 + 2_999]] == curves["integers"][tokens]
    assert [None] == [column for index, column in enumerate(curves["integers"]) if index != tokens]
    assert 2**63 - 1 == answers["pages"]["r"]["params"]["seed"]
