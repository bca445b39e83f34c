"""
The log of a run read again and again, from files that arrive in any order.
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from aim.core import clock
from aim.core.statuses import LOST, RUNNING
from aim.storage.forms import state
from aim.storage.forms.edits import write
from aim.storage.forms.fold import Line
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import Damage, WriterInfo
from tests.storage.event_files import ONE, OTHER, begin, lines_of


def test_lines_of_all_writers_are_replayed_in_order_of_time(tmp_path: Path) -> None:
    """
    The latest of several writers and edits wins, whichever file it is in; at one time the writer id decides.
    """
    lines_of(tmp_path, OTHER, {"at": 1.0, "set": ["a"], "value": 1}, {"at": 5.0, "set": ["a"], "value": 5})
    lines_of(tmp_path, ONE, {"at": 3.0, "set": ["a"], "value": 3}, {"at": 5.0, "set": ["b"], "value": "one"})
    lines_of(tmp_path, OTHER, {"at": 5.0, "set": ["b"], "value": "other"})
    log = RunLog(tmp_path)
    log.refresh()

    assert {"a": 5, "b": "other"} == log.params


@pytest.mark.parametrize("seed", range(10))
def test_any_order_of_arrival_gives_the_same_state(tmp_path: Path, seed: int) -> None:
    """
    However lines of several writers come in, bit by bit, the state is that of reading all of them at once.
    """
    chance = random.Random(seed)
    keys = ["a", "b", "c"]
    queues: dict[str, list[dict[str, Any]]] = {writer: [begin(0.5)] for writer in (ONE, OTHER, "12345678")}
    for number in range(60):
        event: dict[str, Any] = chance.choice(
            [
                {"set": [chance.choice(keys)], "value": number},
                {"set": [chance.choice(keys), "x"], "value": {"n": number}},
                {"del": [chance.choice(keys)]},
                {"property": {"name": f"n{number}"}},
                {"tags": {"add": [chance.choice(keys)], "remove": [chance.choice(keys)]}},
                {"sequence": number + 1, "name": chance.choice(keys), "context": {}, "kind": "int"},
            ]
        )
        queues[chance.choice(list(queues))].append({"at": float(chance.randrange(1, 30)), **event})
    for queue in queues.values():
        queue.sort(key=lambda event: event["at"])
    log = RunLog(tmp_path)
    while any(queues.values()):
        writer = chance.choice([writer for writer, queue in queues.items() if queue])
        lines_of(tmp_path, writer, *[queues[writer].pop(0) for _ in range(min(3, len(queues[writer])))])
        if chance.random() < 0.5:
            log.refresh()
    bit_by_bit, at_once = log.refresh(), RunLog(tmp_path)
    whole = at_once.refresh()

    assert at_once.params == log.params
    assert whole.properties == bit_by_bit.properties
    assert whole.tags == bit_by_bit.tags
    assert {key: {*sequence.parts} for key, sequence in whole.sequences.items()} == {
        key: {*sequence.parts} for key, sequence in bit_by_bit.sequences.items()
    }
    assert whole.created_at_s == bit_by_bit.created_at_s == 0.5
    assert [] == whole.damage == bit_by_bit.damage


def test_a_state_that_was_given_stays_as_it_was(tmp_path: Path) -> None:
    """
    What somebody is going through does not change under him when more is read.
    """
    lines_of(
        tmp_path, ONE, {"at": 1.0, "set": ["a"], "value": {"x": 1}}, {"at": 2.0, "tags": {"add": ["t"], "remove": []}}
    )
    log = RunLog(tmp_path)
    before = log.refresh()
    lines_of(tmp_path, ONE, {"at": 3.0, "set": ["a", "x"], "value": 2})
    lines_of(tmp_path, ONE, {"at": 4.0, "tags": {"add": [], "remove": ["t"]}})
    lines_of(tmp_path, ONE, {"at": 5.0, "sequence": 1, "name": "s", "context": {}, "kind": "int"})
    log.refresh()

    assert ({"a": {"x": 1}}, ["t"], {}) == (before.tree, list(before.tags), before.sequences)
    assert {"a": {"x": 2}} == log.params


def test_params_are_fresh_copies(tmp_path: Path) -> None:
    """
    Changing what was read changes nothing.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "set": ["a"], "value": {"l": [1]}})
    log = RunLog(tmp_path)
    log.refresh()
    log.params["a"]["l"].append(2)

    assert {"a": {"l": [1]}} == log.params


@pytest.mark.parametrize("at", [None, "x", 1e300, -1e300, [1]])
def test_a_line_without_a_moment_counts_first(tmp_path: Path, at: object) -> None:
    """
    A time that makes no sense is read as the beginning of time.
    """
    lines_of(tmp_path, ONE, {"at": at, "set": ["a"], "value": 1}, {"at": 2.0, "set": ["a"], "value": 2})
    log = RunLog(tmp_path)
    log.refresh()

    assert {"a": 2} == log.params


def test_a_broken_line_or_edit_is_named_with_its_place(tmp_path: Path) -> None:
    """
    What fails its check is named with file and byte, once, and the rest is read.
    """
    path = lines_of(tmp_path, ONE, {"at": 1.0, "set": ["a"], "value": 1}, {"at": 2.0, "set": ["a"], "value": 2})
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    (tmp_path / "edit-1795381000000001-0a1b2c3d.json").write_bytes(b"{}\n")
    log = RunLog(tmp_path)
    for _ in range(3):
        state_now = log.refresh()

    assert {"a": 1} == log.params
    assert {path.name, "edit-1795381000000001-0a1b2c3d.json"} == {item.file for item in state_now.damage}
    assert 2 == len(state_now.damage)


def test_a_deleted_run_is_told(tmp_path: Path) -> None:
    """
    The folder that is gone is the system's own error, for callers to make theirs of.
    """
    log = RunLog(tmp_path / "run")
    with pytest.raises(FileNotFoundError):
        log.refresh()
    (tmp_path / "run").mkdir()
    log.refresh()
    (tmp_path / "run").rmdir()
    with pytest.raises(FileNotFoundError):
        log.refresh()


def test_another_run_under_the_same_name_is_read_anew(tmp_path: Path) -> None:
    """
    When a run was deleted and one of that name made, nothing of the old one stays.
    """
    path = lines_of(tmp_path, ONE, begin(1.0), {"at": 2.0, "set": ["old"], "value": 1})
    log = RunLog(tmp_path)
    log.refresh()
    path.unlink()
    lines_of(tmp_path, OTHER, begin(5.0), {"at": 6.0, "set": ["new"], "value": 1})

    assert [OTHER] == list(log.refresh().writers)
    assert {"new": 1} == log.params
    assert 5.0 == log.refresh().created_at_s


def test_a_run_without_a_readable_beginning_was_created_with_its_folder(tmp_path: Path) -> None:
    """
    Where no `begin` is left, the folder's time stands in; its writers are judged by their heartbeats.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "set": ["a"], "value": 1})
    state_now = RunLog(tmp_path).refresh()

    assert tmp_path.stat().st_mtime == state_now.created_at_s
    assert RUNNING == state_now.status()[0]
    assert LOST == state_now.status(clock.now() + 61)[0]
    assert (LOST, state_now.created_at_s) == (state.RunState("x", created_at_s=state_now.created_at_s).status())


def test_every_line_grows_the_count(tmp_path: Path) -> None:
    """
    Whoever watches a run knows by one number whether there is something new.
    """
    log = RunLog(tmp_path)
    counts = [log.line_count]
    for at_s in (1.0, 2.0):
        lines_of(tmp_path, ONE, {"at": at_s, "set": ["a"], "value": 1})
        log.refresh()
        counts.append(log.line_count)
    write(tmp_path, {"tags": {"add": ["x"]}}, by="test")
    log.refresh()
    counts.append(log.line_count)

    assert all(later > earlier for earlier, later in itertools.pairwise(counts))


def test_a_log_takes_lines_from_any_source(tmp_path: Path) -> None:
    """
    Lines may come from elsewhere than a folder; when another run takes the place of one, its lines are folded anew.
    """

    class Rows:
        """Lines as rows of a table."""

        def __init__(self) -> None:
            self.writers: dict[str, WriterInfo] = {}
            self.damage: dict[tuple[str, int], Damage] = {}
            self.line_count = 0
            self.batches: list[list[Line] | None] = []

        def read(self) -> list[Line] | None:
            """Return the next batch."""
            return self.batches.pop(0) if self.batches else []

        def created_at_s(self) -> float:
            """Return a moment of long ago."""
            return 7.0

    rows = Rows()
    log = RunLog(tmp_path, source=rows)
    rows.batches = [[(1.0, ONE, 1, {"property": {"name": "first"}})]]
    assert ("first", 7.0) == (log.refresh().name, log.refresh().created_at_s)
    rows.batches = [None, [(1.0, ONE, 2, {"set": ["a"], "value": 1})]]

    assert (f"Run: {tmp_path.name}", {"a": 1}) == (log.refresh().name, log.params)
