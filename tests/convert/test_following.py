"""
Following a folder: what comes into it is imported, once, until nothing has come for some time.
"""

from __future__ import annotations

import threading
from pathlib import Path

from aim.convert.detecting import recognised
from aim.convert.following import follow_changes
from aim.convert.formats import ImportOptions
from aim.convert.names import FULL
from aim.convert.report import Report
from aim.engine.repository import Repository
from tests.convert.sources import DATA, expected_runs, last_values, same, values

SOURCE = next((DATA / "tb-torch" / "lenet" / "v1").glob("*tfevents*"))


def test_what_comes_is_imported_until_nothing_comes(tmp_path: Path) -> None:
    """
    A file that grows by pieces is there whole and once, and the follower ends by itself when it is idle.
    """
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / "events.out.tfevents.1.box.1.0"
    content = SOURCE.read_bytes()
    path.write_bytes(content[:500])
    waiting = [content[:1200], content]
    reports: list[Report] = []

    def take(report: Report) -> None:
        reports.append(report)
        if waiting:
            path.write_bytes(waiting.pop(0))

    follower = threading.Thread(
        target=follow_changes,
        args=(lambda: recognised(logs), tmp_path / "repo", ImportOptions(naming=FULL), take, 5.0),
    )
    follower.start()
    follower.join(300)

    assert not follower.is_alive()
    assert 3 == len(reports)
    repository = Repository(tmp_path / "repo")
    logged = expected_runs(DATA / "tb-torch")["lenet/v1"]["metrics"][0]["logged"]
    assert same(last_values(logged), values(repository, reports[0].runs[0].run_hash, "loss/train"))
    assert 1 == repository.run_count()
