"""
A run folded from its event lines and edits, with its status.
"""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path
from typing import Any

import pytest

from aim.core import clock
from aim.core.statuses import FAILED, FINISHED, LOST, RUNNING
from aim.storage.forms import events, state
from aim.storage.forms.edits import write
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import SequencePart, SequenceState
from aim.storage.recording.writer import Writer

ONE, OTHER = "0a1b2c3d", "ffffffff"


def lines_of(folder: Path, writer: str, *found: dict[str, Any]) -> Path:
    """Append lines to a writer's event file."""
    path = folder / f"{writer}.events.jsonl"
    with open(path, "ab") as file:
        file.write(b"".join(events.encode(event) for event in found))
    return path


def begin(at_s: float, **changed: Any) -> dict[str, Any]:
    """Return a `begin` line of this process."""
    process = clock.this_process()
    who = {
        "host": process.host,
        "pid": process.pid,
        "boot": process.boot,
        "process": process.start,
        "pids": process.namespace,
    }
    return {"at": at_s, "begin": {"format": 1, **who, **changed}}


def end(at_s: float, how: str = "finished", error: str | None = None) -> dict[str, Any]:
    """Return an `end` line."""
    return {"at": at_s, "end": {"state": how, "error": error}}


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
    queues: dict[str, list[dict[str, Any]]] = {writer: [begin(0.0)] for writer in (ONE, OTHER, "12345678")}
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
    assert {key: {*facts.parts} for key, facts in whole.sequences.items()} == {
        key: {*facts.parts} for key, facts in bit_by_bit.sequences.items()
    }
    assert whole.created_at_s == bit_by_bit.created_at_s == 0.0
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


def test_sequences_are_joined_over_writers_and_kinds(tmp_path: Path) -> None:
    """
    One name and one context are one sequence, whoever records it; ints and floats are `number`.
    """
    lines_of(
        tmp_path,
        ONE,
        {"at": 1.0, "sequence": 1, "name": "loss", "context": {"a": 1, "b": 2}, "kind": "float"},
        {"at": 2.0, "sequence": 2, "name": "loss", "context": {"b": 2, "a": 1}, "kind": "int"},
        {"at": 2.0, "sequence": 2, "name": "loss", "context": {"b": 2, "a": 1}, "kind": "int"},
        {"at": 3.0, "point": 2, "step": 7, "epoch": None, "value": 2**60},
    )
    lines_of(
        tmp_path, OTHER, {"at": 1.5, "sequence": 1, "name": "loss", "context": {"a": True, "b": 2.0}, "kind": "float"}
    )
    found = RunLog(tmp_path).refresh()
    ((key, facts),) = found.sequences.items()

    assert ("loss", '{"a":1,"b":2}') == key == facts.key
    assert [SequencePart(ONE, 1, "float"), SequencePart(OTHER, 1, "float"), SequencePart(ONE, 2, "int")] == facts.parts
    assert ("number", True) == (facts.kind, facts.is_numeric)
    assert [(7, 2**60, ONE)] == [(point.step, point.value, point.writer) for point in facts.exact_points]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], ""),
        (["int"], "int"),
        (["float", "int"], "number"),
        (["list"], "list"),
        (["list", "list(aim.image)"], "list(aim.image)"),
        (["aim.image"], "aim.image"),
    ],
)
def test_a_sequence_has_one_kind(kinds: list[str], expected: str) -> None:
    """
    The kind of a sequence follows from those of its parts; an empty list goes with any.
    """
    parts = [SequencePart(ONE, number, kind) for number, kind in enumerate(kinds)]

    assert expected == SequenceState("s", {}, "{}", parts).kind


def test_a_drop_hides_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    """
    A drop is remembered with its moment; of a sequence that nobody knows it says nothing.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "sequence": 1, "name": "loss", "context": {}, "kind": "float"})
    drop: list[dict[str, object]] = [{"name": name, "context": {}} for name in ("loss", "unknown")]
    at_s = write(tmp_path, {"drop": drop}, by="test")
    found = RunLog(tmp_path).refresh()

    assert [("loss", at_s)] == [(facts.name, facts.dropped_at_s) for facts in found.sequences.values()]
    assert [] == found.damage


def test_tags_keep_the_order_in_which_they_came(tmp_path: Path) -> None:
    """
    A tag that is added twice stays where it was; one that was removed comes last.
    """
    for at_s, add, remove in ((1.0, ["b", "a"], []), (2.0, ["a", "c"], []), (3.0, [], ["b"]), (4.0, ["b"], ["x"])):
        lines_of(tmp_path, ONE, {"at": at_s, "tags": {"add": add, "remove": remove}})

    assert ["a", "c", "b"] == list(RunLog(tmp_path).refresh().tags)


def test_names_have_defaults(tmp_path: Path) -> None:
    """
    Without a name a run is called after its hash, and its experiment is `default`; None is a value.
    """
    folder = tmp_path / "3df7"
    folder.mkdir()
    found = RunLog(folder).refresh()
    assert ("Run: 3df7", "default") == (found.name, found.experiment)
    lines_of(folder, ONE, {"at": 1.0, "property": {"name": None, "experiment": None}})
    found = RunLog(folder).refresh()

    assert (None, None) == (found.name, found.experiment)


# damage


@pytest.mark.parametrize(
    "event",
    [
        {"set": 5, "value": 1}, {"set": ["a"]}, {"set": [["a"]], "value": 1}, {"del": 5}, {"property": 5}, {"tags": 5},
        {"tags": {"add": 5}}, {"sequence": "x", "name": "a", "context": {}, "kind": "int"},
        {"sequence": 1, "name": "a", "context": 5, "kind": "int"}, {"sequence": 1, "kind": "int"},
        {"point": 9, "step": 1, "epoch": None, "value": 1}, {"point": 1}, {"drop": 5}, {"drop": [{}]},
        {"set": ["a"], "value": {"$object": {"kind": "x", "items": []}}}, {"set": ["a"], "value": {"$float": "x"}},
        {"set": ["l", 10**9], "value": 1},
    ],
)  # fmt: skip
def test_a_line_that_makes_no_sense_hides_only_itself(tmp_path: Path, event: dict[str, Any]) -> None:
    """
    A line with a right CRC and a wrong content is named as damage; the lines around it count.
    """
    lines_of(
        tmp_path,
        ONE,
        {"at": 1.0, "set": ["l"], "value": [1]},
        {"at": 2.0, **event},
        {"at": 3.0, "set": ["b"], "value": 2},
    )
    log = RunLog(tmp_path)
    found = log.refresh()

    assert {"l": [1], "b": 2} == {key: log.params[key] for key in ("l", "b")}
    assert [ONE] == [item.file for item in found.damage]
    assert "can't be understood" in found.damage[0].problem


def test_unknown_lines_and_keys_are_ignored(tmp_path: Path) -> None:
    """
    What a later version adds is no damage.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "rewind": 5}, {"at": 2.0, "set": ["a"], "value": 1, "why": "x"})
    log = RunLog(tmp_path)

    assert [] == log.refresh().damage
    assert {"a": 1} == log.params


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
        found = log.refresh()

    assert {"a": 1} == log.params
    assert {path.name, "edit-1795381000000001-0a1b2c3d.json"} == {item.file for item in found.damage}
    assert 2 == len(found.damage)


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


# status


def test_a_live_process_is_running(tmp_path: Path) -> None:
    """
    A writer without an end whose process is there is running, however old its file.
    """
    os.utime(lines_of(tmp_path, ONE, begin(1.0)), (1.0, 1.0))
    found = RunLog(tmp_path).refresh()

    assert (RUNNING, None) == found.status()
    assert not found.writers[ONE].has_ended(clock.now())


@pytest.mark.parametrize(
    ("changed", "heard_s_ago", "alive", "ended"),
    [
        ({"pid": 2**31 - 1}, 0, False, True),
        ({"process": 1}, 0, False, True),
        ({"boot": "another"}, 0, False, True),
        ({"host": "elsewhere"}, 10, True, False),
        ({"host": "elsewhere"}, 59, True, False),
        ({"host": "elsewhere"}, 61, False, False),
        ({"host": "elsewhere"}, 24 * 3600 - 5, False, False),
        ({"host": "elsewhere"}, 24 * 3600 + 5, False, True),
        ({"pids": "pid:[1]"}, 10, True, False),
        ({"pids": "pid:[1]"}, 61, False, False),
        ({"pids": "pid:[1]"}, 24 * 3600 + 5, False, True),
        ({"pid": "x"}, 10, True, False),
        ({"pid": None}, 61, False, False),
    ],
)
def test_a_writer_is_judged_by_its_process_or_by_its_heartbeat(
    tmp_path: Path, changed: dict[str, Any], heard_s_ago: float, alive: bool, ended: bool
) -> None:
    """
    On this host and in this container the process decides; elsewhere the event file's time: 60 s for being alive, 24
    hours for being sealed.
    """
    path = lines_of(tmp_path, ONE, begin(1.0, **changed))
    now_s = 2e9
    os.utime(path, (now_s - heard_s_ago,) * 2)
    found = RunLog(tmp_path).refresh()

    assert (alive, ended) == (found.writers[ONE].is_alive(now_s), found.writers[ONE].has_ended(now_s))
    assert (RUNNING if alive else LOST) == found.status(now_s)[0]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([end(5.0)], (FINISHED, 5.0, None)),
        ([end(5.0, "failed", "ValueError")], (FAILED, 5.0, "ValueError")),
        ([end(5.0, "failed", "ValueError"), end(9.0)], (FINISHED, 9.0, None)),
        ([end(9.0, "failed", "OSError"), end(5.0)], (FAILED, 9.0, "OSError")),
        ([end(5.0), None], (LOST, 7.0, None)),
        ([end(9.0), None], (FINISHED, 9.0, None)),
    ],
)
def test_the_writer_that_was_heard_of_last_decides(
    tmp_path: Path, ends: list[dict[str, Any] | None], expected: tuple[str, float, str | None]
) -> None:
    """
    Of ended writers the last says how the run ended; one that was lost after all ends leaves the run lost.
    """
    for writer, how in zip((ONE, OTHER), ends, strict=False):
        path = lines_of(tmp_path, writer, begin(1.0, pid=2**31 - 1), *([how] if how else []))
        os.utime(path, (7.0, 7.0))
    found = RunLog(tmp_path).refresh()

    assert expected == (*found.status(), found.error())


def test_a_run_that_was_resumed_runs_again(tmp_path: Path) -> None:
    """
    An ended run with a live writer is running; it was created when its first writer began.
    """
    lines_of(tmp_path, ONE, begin(1.0), end(2.0))
    log = RunLog(tmp_path)
    assert FINISHED == log.refresh().status()[0]
    writer = Writer(tmp_path, "run")
    assert (RUNNING, None) == log.refresh().status()
    writer.close()

    assert FINISHED == log.refresh().status()[0]
    assert 1.0 == log.refresh().created_at_s


def test_a_run_without_a_readable_beginning_was_created_with_its_folder(tmp_path: Path) -> None:
    """
    Where no `begin` is left, the folder's time stands in; its writers are judged by their heartbeats.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "set": ["a"], "value": 1})
    found = RunLog(tmp_path).refresh()

    assert tmp_path.stat().st_mtime == found.created_at_s
    assert RUNNING == found.status()[0]
    assert LOST == found.status(clock.now() + 61)[0]
    assert (LOST, found.created_at_s) == (state.RunState("x", created_at_s=found.created_at_s).status())


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
