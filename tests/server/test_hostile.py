"""
Attacks by recorded data and by requests: one test for each.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from aim.core.errors import DamagedFile
from aim.core.values import Stored
from aim.engine.repository import Repository
from aim.engine.tables import CELLS, ENTRY_BYTES_MAX, TABLE_ENTRY, cell_object, read_table
from aim.sdk.objects.image import Image
from aim.server import blobs, live
from aim.server.answers import Refusal
from tests.server.conftest import Browser, MakeBrowser, MakeRun

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


class Recorded:
    """
    An object with any stored form.
    """

    def __init__(self, kind: str, fields: dict[str, Any], data: bytes) -> None:
        self._stored = Stored(kind, fields, data, "bin")

    def stored(self) -> Stored:
        """Return the stored form."""
        return self._stored


def blob_names(root: Path, browser: Browser, **items: Recorded) -> dict[str, str]:
    """Record objects as sequences of a run, and return the names of their blobs."""
    writer = Repository(root, create=True).new_run()
    for name, item in items.items():
        writer.sequence(name).track(item)
    writer.close()
    asked = {"type": "images", "runs": [writer.run_hash]}
    answer = browser.post("objects", asked)
    return {answer["sequences"][item["sequence"]]["name"]: item["blob"] for item in answer["items"]}


def test_recorded_bytes_never_run(root: Path, make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    SVG and HTML are sent as bytes, or as the image type that they claim to be, without sniffing and in a sandbox.
    """
    make_run("first").close()
    browser = make_browser()
    forms = ("svg", "html", "image/svg+xml", "png", "", "text/html")
    names = blob_names(
        root, browser, **{f"x{i}": Recorded("aim.image", {"format": form}, SCRIPT) for i, form in enumerate(forms)}
    )

    assert len(forms) == len(names)
    for name, blob_name in names.items():
        answer = browser.client.get(f"{browser.base}blobs/{blob_name}")
        assert SCRIPT == answer.content
        kind = "image/png" if forms[int(name[1:])] == "png" else "application/octet-stream"
        assert (kind, "nosniff", "sandbox; default-src 'none'") == (
            answer.headers["content-type"],
            answer.headers["x-content-type-options"],
            answer.headers["content-security-policy"],
        )
        assert 400 == browser.client.get(f"{browser.base}thumbs/{blob_name}").status_code


@pytest.mark.parametrize(
    "blob_name",
    [
        "..",
        "%2e%2e%2f%2e%2e%2fFORMAT",
        "a.8c2f01ab.0.0.0%00",
        "..%5c..%5cx",
        "a.8c2f01ab.0.9999999999999.0",
        "%ff",
        "." * 5000,
    ],
)
def test_no_name_of_an_object_leads_anywhere_else(browser: Browser, blob_name: str) -> None:
    """
    A name that is not of an object of this repository is not found.
    """
    for kind in ("blobs", "thumbs"):
        assert 404 == browser.client.get(f"{browser.base}{kind}/{blob_name}").status_code


@pytest.mark.parametrize(
    "name", ["..%2fapp.py", "..%5capp.py", "%00", "x%00.js", ".gitignore", "%2fetc%2fpasswd", "../app.py"]
)
def test_no_name_of_an_asset_leads_out_of_its_folder(browser: Browser, name: str) -> None:
    """
    Only the built files are sent.
    """
    assert 404 == browser.client.get(f"assets/{name}").status_code


def png_of(width: int, height: int) -> bytes:
    """Return a small PNG that claims to be large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2_000_000_000, 1), (11_000, 11_000)])
def test_an_image_that_would_fill_the_memory_is_refused(width: int, height: int) -> None:
    """
    A few bytes that claim a huge image are not decoded.
    """
    with pytest.raises(Refusal, match="too many|can't be shown"):
        blobs.thumbnail(png_of(width, height), 256)


def test_only_pictures_are_decoded() -> None:
    """
    Formats that Pillow reads by running a program, or that browsers don't show, are refused.
    """
    made = io.BytesIO()
    Pillow.new("RGB", (8, 8)).save(made, "EPS")

    assert made.getvalue().startswith(b"%!PS")
    with pytest.raises(Refusal, match="can't be shown"):
        blobs.thumbnail(made.getvalue(), 64)


def test_large_images_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While one large image is decoded another one waits, and small ones do not.
    """
    made = io.BytesIO()
    Pillow.new("L", (100, 100)).save(made, "PNG")
    monkeypatch.setattr(blobs, "PIXELS_AT_ONCE", 5_000)
    small = io.BytesIO()
    Pillow.new("L", (50, 50)).save(small, "PNG")
    done = threading.Event()

    def decode() -> None:
        blobs.thumbnail(made.getvalue(), 64)
        done.set()

    with blobs._large:
        thread = threading.Thread(target=decode)
        thread.start()
        assert blobs.thumbnail(small.getvalue(), 64)
        assert not done.is_set()
    thread.join(timeout=60)
    assert done.is_set()


def zipped(**entries: bytes) -> bytes:
    """Return a ZIP of compressed entries."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_a_table_that_would_fill_the_memory_is_refused() -> None:
    """
    A table, or the object of a cell, that unpacks to far more than its stored size is damage; so is a malformed one.
    """
    large = b" " * (ENTRY_BYTES_MAX + 1)
    cell = {"kind": "aim.text", "fields": {}, "file": f"{CELLS}0"}
    whole = json.dumps({"columns": [{"name": "a", "type": "json"}], "rows": [[cell]]}).encode()
    bomb = zipped(**{TABLE_ENTRY: whole, f"{CELLS}0": large})
    assert len(bomb) < 200_000

    with pytest.raises(DamagedFile, match="it has more than"):
        read_table(zipped(**{TABLE_ENTRY: large}))
    with pytest.raises(DamagedFile, match="it has more than"):
        cell_object(bomb, f"{CELLS}0")
    for wrong in (b"[" * 100_000, b"{}", b'{"columns":1,"rows":2}', b'{"columns":[],"rows":[1]}', b"\xff"):
        with pytest.raises(DamagedFile):
            read_table(zipped(**{TABLE_ENTRY: wrong}))
    broken = bytearray(zipped(**{TABLE_ENTRY: whole}))
    broken[60] ^= 0xFF
    with pytest.raises(DamagedFile):
        read_table(bytes(broken))


def test_a_link_in_a_run_does_not_disclose_a_file(make_run: MakeRun, make_browser: MakeBrowser, root: Path) -> None:
    """
    A blob file that is a link to another file is damage, and nothing of that file is sent.
    """
    run = make_run("r")
    run.track(Image(np.zeros((4, 4, 3), np.uint8)), name="x", step=0)
    run.close()
    browser = make_browser()
    (item,) = browser.post("objects", {"type": "images"})["items"]
    (file,) = (root / ".aim" / "runs" / "r").glob("*.blobs-*.zip")
    (root / "secret").write_text("a secret of some length " * 1000)
    file.unlink()
    file.symlink_to(root / "secret")
    answer = browser.client.get(f"{browser.base}blobs/{item['blob']}")

    assert answer.status_code in (404, 500)
    assert "a secret" not in answer.text


def test_a_spreadsheet_runs_no_formula(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    In CSV texts and column names that begin like a formula are escaped, numbers are not; JSON has all unchanged.
    """
    names = ["=HYPERLINK(1)", "+cmd|x", "-2+3", "@SUM(1)", "\tx", "-1.5", "a=b"]
    for index, name in enumerate(names):
        run = make_run(f"r{index}", **{"=x": -index})
        run.name = name
        run.close()
    browser = make_browser()
    asked = {"request": json.dumps({"fields": [["run", "name"], ["param", "hparams", "=x"], ["param", "=y"]]})}
    header, *rows = csv.reader(io.StringIO(browser.client.get(f"{browser.base}export/runs.csv", params=asked).text))
    plain = browser.client.get(f"{browser.base}export/runs.json", params=asked).json()

    assert ["hash", "run.name", "hparams.=x", "'=y"] == header
    assert [f"'{name}" for name in names[:5]] + names[5:] == [row[1] for row in rows[::-1]]
    assert ["0", *(str(-index) for index in range(1, 7))] == [row[2] for row in rows[::-1]]
    assert names == [row["run.name"] for row in plain[::-1]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("series", b'{"window":[0,1%s]}' % (b"0" * 400)),
        ("series", b'{"smooth":1%s}' % (b"0" * 400)),
        ("runs", b'{"limit":1%s}' % (b"0" * 400)),
        ("runs", b'{"limit":1%s}' % (b"0" * 10_000)),
        ("runs", b'{"query":"\\ud800"}'),
        ("runs", b'{"query":"run.name == \'\\udc00\'"}'),
        ("edits", b'{"runs":["a"],"change":{"name":"\\ud800"}}'),
        ("complete", b'{"query":"\\ud800","at":1}'),
        ("runs", b'{"fields":%s}' % (b"[" * 500 + b"]" * 500)),
        ("runs", b'{"query":"%s"}' % (b"(" * 15_000)),
        ("runs", b'{"query":"run.name.matches(\'(a+)+$\')"}'),
        ("runs", b'{"query":"%s1"}' % (b"not " * 4_000)),
        ("runs", b'{"runs":[null]}'),
        ("runs", b'{"sort":[{"field":["run","name"],"descending":1}]}'),
        ("series", b'{"x":{"name":"x","context":{"a":{"b":[1,{"c":2}]}}}}'),
        ("objects", b'{"type":"images","steps":{"at":1e400}}'),
    ],
)
def test_an_odd_request_is_an_error_of_the_request(browser: Browser, path: str, body: bytes) -> None:
    """
    Huge numbers, halves of characters and deep nesting are never answered as a bug of the server.
    """
    answer = browser.client.post(browser.base + path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (200, 400, 413), answer.text


def test_a_document_holds_no_half_of_a_character(browser: Browser) -> None:
    """
    A body that can't be written as UTF-8 is refused; a character written as two escapes is accepted.
    """
    address, headers = f"{browser.base}documents/view/x", {"Content-Type": "application/json"}

    answer = browser.client.put(address, content=b'{"revision":null,"body":{"name":"\\ud83d"}}', headers=headers)
    assert 400 == answer.status_code
    whole = browser.client.put(address, content=b'{"revision":null,"body":{"name":"\\ud83d\\ude00"}}', headers=headers)
    assert (200, "\N{GRINNING FACE}") == (whole.status_code, whole.json()["body"]["name"])


def test_streams_of_updates_have_a_bound(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    At the limit of streams the next one is refused at once; other requests are answered.
    """
    monkeypatch.setattr(live, "STREAMS_MAX", 2)
    address = f"{browser.base}events"
    with browser.client.stream("GET", address) as first, browser.client.stream("GET", address) as second:
        listening = [first.iter_lines(), second.iter_lines()]  # a variable, since a stream without a reader is closed
        assert [": hello", ": hello"] == [next(lines) for lines in listening]
        refused = browser.client.get(address)

        assert (503, "busy") == (refused.status_code, refused.json()["kind"])
        assert 200 == browser.client.get("api/info").status_code


def test_only_pages_of_this_host_may_frame_the_pages(browser: Browser) -> None:
    """
    Pages of other hosts may neither frame Aim's pages, which could steal clicks, nor load its images; a notebook on
    another port of the same host may.
    """
    headers = browser.client.get("runs", headers={"Host": "127.0.0.1:5"}).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))

    assert (
        "'self' localhost:* 127.0.0.1:* vscode-webview: http://127.0.0.1:* https://127.0.0.1:*"
        == policy["frame-ancestors"]
    )
    assert "same-origin" == headers["cross-origin-resource-policy"]
    odd = browser.client.get("runs", headers={"Host": "x; script-src *"}).headers["content-security-policy"]
    assert "script-src *" not in odd


def test_a_token_in_the_address_leads_to_no_other_host(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    The redirect is relative to the page, whatever its name looks like.
    """
    make_run("a").close()
    browser = make_browser(token="secret")

    for page in ("https:evil.example", "%2f%2fevil.example", "javascript:alert(1)"):
        answer = browser.client.get(f"run/{page}?token=secret")
        assert answer.status_code == 404 or answer.headers["location"].startswith("./")


def test_printed_control_codes_stay_text(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Lines of a log are sent as JSON strings: control codes end no answer and make no header.
    """
    from aim.sdk.objects.log_line import LogLine

    text = "\x1b]0;title\x07\x00\r\nSet-Cookie: x=1\u2028</script>\x9b2J"
    run = make_run("r")
    run.track(LogLine(text), name="logs", step=0)
    run.close()
    answer = make_browser().client.get("api/repos/demo/runs/r/log")

    assert [text] == answer.json()["lines"]
    assert b"\x1b" not in answer.content
    assert "set-cookie" not in answer.headers
