"""
The page of a run: its properties, logs and artifacts.
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from aim.engine.logs import DAMAGED
from aim.engine.repository import Repository
from aim.sdk.objects.image import Image
from aim.sdk.objects.log_line import LogLine
from aim.sdk.objects.log_record import LogRecord
from tests.server.conftest import Browser, MakeBrowser, MakeRun


def test_a_run_comes_whole(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    One answer has the properties, the params as JSON, the writers and the summaries of all sequences.
    """
    run = make_run("r", lr=0.1, best=float("inf"))
    run["__system_params"] = {"executable": "python3"}
    run.name, run.description = "first", "to see"
    run.add_tag("good")
    for step, value in enumerate([3.0, 1.0, 2.0]):
        run.track(value, name="loss", step=10 * step, context={"subset": "val"})
    run.close()
    answer = make_browser().get("runs/r")

    assert {"hparams": {"best": {"$float": "inf"}, "lr": 0.1}} == answer["params"]
    assert {"executable": "python3"} == answer["system"]
    assert ("first", "to see", ["good"], "finished", False) == (
        answer["name"],
        answer["description"],
        answer["tags"],
        answer["status"],
        answer["archived"],
    )
    assert [("finished", None)] == [(writer["state"], writer["error"]) for writer in answer["writers"]]
    assert answer["duration"] >= 0
    assert [
        {
            "name": "loss",
            "context": {"subset": "val"},
            "kind": "float",
            "count": 3,
            "first": 3.0,
            "last": 2.0,
            "min": 1.0,
            "max": 3.0,
            "mean": 2.0,
            "first_step": 0,
            "last_step": 20,
            "min_step": 10,
            "max_step": 0,
        }
    ] == answer["sequences"]


def test_a_running_run_has_no_end(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A run that records is running, and its duration ends now.
    """
    make_run("live").track(1, name="loss")
    answer = make_browser().get("runs/live")

    assert ("running", None, "int") == (answer["status"], answer["end_time"], answer["sequences"][0]["kind"])


def test_the_answer_says_how_far_the_work_is(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Two reports have a rate, and a time at which the work is done; the table has the same as columns.
    """
    run = make_run("r")
    run.report_progress(done=0, total=100, unit="batches")
    while run.check_in.progress.at_s == run.check_in.progress.begun_at_s:
        run.report_progress(done=25, total=100, unit="batches")
    browser = make_browser()
    progress = browser.get("runs/r")["progress"]
    columns = [["run", "progress"], ["run", "rate"], ["run", "remaining"]]
    table = browser.post("runs", {"fields": columns, "query": "run.rate > 0 and run.remaining >= 0"})
    percent, rate, remaining = (column["values"][0] for column in table["columns"])

    assert (25, 100, "batches", 25) == tuple(progress[name] for name in ("done", "total", "unit", "percent"))
    assert progress["done_at"] == pytest.approx(progress["at"] + 75 / progress["rate"])
    assert (25, progress["rate"], True) == (percent, rate, remaining >= 0)


def test_a_run_without_a_report_has_no_progress(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A promise of the next report alone says nothing of the work.
    """
    make_run("r").report_progress(expect_next_in=600)

    assert make_browser().get("runs/r")["progress"] is None


def test_objects_among_the_params_come_without_their_bytes(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    An image that was set as a param is described, not sent.
    """
    run = make_run("r")
    run["sample"] = Image(np.zeros((4, 6, 3), np.uint8), caption="black")
    run.close()
    sample = make_browser().get("runs/r")["params"]["sample"]["$object"]

    assert "aim.image" == sample["kind"]
    assert (None, "black", 6) == tuple(sample["items"][0][name] for name in ("data", "caption", "width"))


def test_an_unknown_run_is_not_found(browser: Browser) -> None:
    """
    A hash that no run has, or that can't be one, is answered with 404.
    """
    for path in ("runs/zzz", "runs/..", "runs/zzz/log", "runs/zzz/artifacts/x"):
        answer = browser.client.get(browser.base + path)
        assert (404, "not-found") == (answer.status_code, answer.json()["kind"])


def test_a_run_that_printed_nothing_has_an_empty_log(browser: Browser) -> None:
    """
    A run without captured output has an empty log and no records.
    """
    assert {"from": 0, "total": 0, "lines": []} == browser.get("runs/a/log")
    assert {"total": 0, "matches": []} == browser.get("runs/a/log?find=nan")
    assert {"from": 0, "total": 0, "records": []} == browser.get("runs/a/records")
    assert "`from` must be an integer, got 'x'." == browser.get("runs/a/log?from=x", status=400)["message"]


def test_printed_lines_come_by_number(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Lines keep their colour codes, which a search ignores; a line never written is empty; -2 selects the last two.
    """
    run = make_run("r")
    for row, text in ((0, "epoch 1"), (1, "\x1b[31mloss is N\x1b[0maN"), (4, "done")):
        run.track(LogLine(text), name="logs", step=row)
    run.close()
    browser = make_browser()

    lines = ["epoch 1", "\x1b[31mloss is N\x1b[0maN", "", "", "done"]
    assert {"from": 0, "total": 5, "lines": lines} == browser.get("runs/r/log")
    assert {"from": 1, "total": 5, "lines": lines[1:3]} == browser.get("runs/r/log?from=1&limit=2")
    assert {"from": 3, "total": 5, "lines": lines[3:]} == browser.get("runs/r/log?from=-2")
    assert {"total": 5, "matches": [1]} == browser.get("runs/r/log?find=nan")
    assert 5 == browser.get("runs/r")["log_lines"]


def test_damage_of_a_log_hides_the_damaged_lines_only(make_run: MakeRun, make_browser: MakeBrowser, root: Path) -> None:
    """
    Lines and records of a file with a changed byte, or of one that can't be read, say that they are damaged.
    """
    run = make_run("r")
    for row, text in enumerate(("epoch 1", "epoch 2")):
        run.track(LogLine(text), name="logs", step=row)
    run.log_error("loss is NaN")
    run.close()
    (path,) = (root / ".aim" / "runs" / "r").glob("*.zip")
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"epoch 1"', b'"epoch_1"'))
    browser = make_browser()

    assert [DAMAGED, "epoch 2"] == browser.get("runs/r/log")["lines"]
    assert ["loss is NaN"] == [record["message"] for record in browser.get("runs/r/records")["records"]]
    path.unlink()
    path.mkdir()
    assert [DAMAGED, DAMAGED] == make_browser().get("runs/r/log")["lines"]
    assert [("ERROR", DAMAGED)] == [
        (record["level"], record["message"]) for record in make_browser().get("runs/r/records")["records"]
    ]


def test_log_records_come_by_level(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Each record has its time, level, message and arguments; `level` selects that level and above.
    """
    run = make_run("r")
    run.log_info("begin")
    run.log_error("loss is NaN", step=870)
    run.close()
    browser = make_browser()
    everything = browser.get("runs/r/records")
    (error,) = browser.get("runs/r/records?level=warning")["records"]

    assert (2, ["INFO", "ERROR"]) == (everything["total"], [record["level"] for record in everything["records"]])
    assert ("loss is NaN", {"step": 870}, __file__) == (error["message"], error["args"], error["file"])
    assert everything["records"][1] == error
    assert 2 == browser.get("runs/r")["log_records"]


def test_each_process_that_printed_has_a_log(root: Path, make_browser: MakeBrowser) -> None:
    """
    The ranks of a job print and log into one run: each process has a log of its own that is listed, read and searched;
    the first log is the default; the records of all processes are in the order of logging.
    """
    repository = Repository(root, create=True)
    first = repository.new_run("r")
    second, third = repository.resume_run("r"), repository.resume_run("r")
    for writer, context, text in (
        (first, None, "zero"),
        (second, {"writer": second.id}, "one"),
        (third, {"rank": 2}, "two"),
    ):
        for row in range(2):
            writer.sequence("logs", context).track(LogLine(f"{text} {row}"), step=row)
        writer.sequence("__log_records").track(LogRecord(f"from {text}", 20), step=0)
    for writer in (first, second, third):
        writer.close()
    browser = make_browser()
    run = browser.get("runs/r")
    logs = run["logs"]
    label = f"{socket.gethostname()}, process {os.getpid()}"

    assert [label, f"{label} · {second.id}", f"rank=2 · {label}"] == [log["label"] for log in logs]
    assert [([first.id], 2), ([second.id], 2), ([third.id], 2)] == [(log["writers"], log["lines"]) for log in logs]
    assert (6, 3) == (run["log_lines"], run["log_records"])
    assert ["zero 0", "zero 1"] == browser.get("runs/r/log")["lines"]
    for log, text in zip(logs, ("zero", "one", "two"), strict=True):
        assert [f"{text} 0", f"{text} 1"] == browser.get(f"runs/r/log?log={log['id']}")["lines"]
        assert [1] == browser.get(f"runs/r/log?log={log['id']}&find={text}%201")["matches"]
    assert "The run has no log 'nobody'." == browser.get("runs/r/log?log=nobody", status=404)["message"]
    assert ["from zero", "from one", "from two"] == [log["message"] for log in browser.get("runs/r/records")["records"]]


def test_artifacts_are_sent_and_nothing_beside_them(browser: Browser, root: Path) -> None:
    """
    A file in the run's `files` is an attachment; no name leads out of that folder, by dots or by links.
    """
    files = root / ".aim" / "runs" / "a" / "files"
    (files / "sub").mkdir(parents=True)
    (files / "sub" / "model.pt").write_bytes(b"weights")
    (files / "leak").symlink_to("/etc/passwd")
    (files / "up").symlink_to(root)

    listed = browser.get("runs/a")["artifacts"]
    assert [("sub/model.pt", 7)] == [(artifact["name"], artifact["size"]) for artifact in listed]
    answer = browser.client.get(browser.base + "runs/a/artifacts/sub/model.pt")
    assert b"weights" == answer.content
    assert answer.headers["content-disposition"].startswith("attachment")
    for name in ("leak", "up/demo", "../a/files/sub/model.pt", "%2e%2e/%2e%2e/%2e%2e/FORMAT", "/etc/passwd", "sub"):
        assert 404 == browser.client.get(f"{browser.base}runs/a/artifacts/{name}").status_code


def described_artifacts(browser: Browser) -> dict[str, tuple[int | None, bool]]:
    """Return the size of each artifact of run `r`, and whether the server can send it."""
    return {artifact["name"]: (artifact["size"], artifact["here"]) for artifact in browser.get("runs/r")["artifacts"]}


def test_artifacts_that_are_kept_elsewhere_are_named(
    make_run: MakeRun, make_browser: MakeBrowser, tmp_path: Path
) -> None:
    """
    A file logged into a folder of this machine is sent while its content is what was logged; a file in an object store
    has only its address, size and hash.
    """
    (tmp_path / "model.pt").write_bytes(b"weights")
    run = make_run("r")
    run.log_artifact(tmp_path / "model.pt", "own.pt", block=True)
    run.set_artifacts_uri(str(tmp_path / "store"))
    run.log_artifact(tmp_path / "model.pt", "deep/far.pt", block=True)
    sha256 = hashlib.sha256(b"weights").hexdigest()
    uri = "s3://bucket/r/cloud.pt"
    run._recording.ready_writer().lines.add_artifact({"name": "cloud.pt", "uri": uri, "size": 7, "sha256": sha256})
    run.close()
    browser = make_browser()

    assert {"own.pt": (7, True), "deep/far.pt": (7, True), "cloud.pt": (7, False)} == described_artifacts(browser)
    assert [(uri, sha256)] == [
        (artifact["uri"], artifact["sha256"])
        for artifact in browser.get("runs/r")["artifacts"]
        if artifact["name"] == "cloud.pt"
    ]
    for name in ("own.pt", "deep/far.pt"):
        answer = browser.client.get(f"{browser.base}runs/r/artifacts/{name}", headers={"Range": "bytes=2-4"})
        assert (206, b"igh", "bytes 2-4/7") == (answer.status_code, answer.content, answer.headers["content-range"])
    assert f"is not here, but in {uri}" in browser.get("runs/r/artifacts/cloud.pt", status=404)["message"]
    (tmp_path / "store" / "r" / "deep" / "far.pt").write_bytes(b"changed")
    assert "has changed since" in browser.get("runs/r/artifacts/deep/far.pt", status=404)["message"]


def test_a_record_gives_nobody_a_file_of_this_machine(
    make_run: MakeRun, make_browser: MakeBrowser, tmp_path: Path
) -> None:
    """
    A record can name any file as an artifact; it is sent only if its content is the recorded one. Links, pipes and
    folders of links do not lead out of the run.
    """
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    run = make_run("r")
    wrong = hashlib.sha256(b"guess?").hexdigest()
    right = hashlib.sha256(b"secret").hexdigest()
    uris = {
        "wrong": ((tmp_path / "secret").as_uri(), 6, wrong),
        "link": ((tmp_path / "link").as_uri(), 6, right),
        "pipe": ((tmp_path / "pipe").as_uri(), 0, right),
        "host": ("file://other.example/secret", 6, right),
        "../up": (None, 6, right),
        "nul": ("file:///%00", 6, right),
    }
    for name, (uri, size, sha256) in uris.items():
        run._recording.ready_writer().lines.add_artifact({"name": name, "uri": uri, "size": size, "sha256": sha256})
    run.close()
    outside = make_run("s")
    outside.close()
    folder = tmp_path / "demo" / ".aim" / "runs"
    (folder / "s" / "files").symlink_to(tmp_path)
    (tmp_path / "elsewhere" / "files").mkdir(parents=True)
    (tmp_path / "elsewhere" / "files" / "secret").write_bytes(b"secret")
    (folder / "t").symlink_to(tmp_path / "elsewhere")
    browser = make_browser()

    assert {name for name, (_, here) in described_artifacts(browser).items() if here} == {"wrong"}
    for name in uris:
        quoted = name.replace("/", "%2f")
        assert 404 == browser.client.get(f"{browser.base}runs/r/artifacts/{quoted}").status_code
    for run_hash in ("s", "t"):
        assert [] == browser.get(f"runs/{run_hash}")["artifacts"]
        assert 404 == browser.client.get(f"{browser.base}runs/{run_hash}/artifacts/secret").status_code
