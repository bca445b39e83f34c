"""
What the keys of a line do, one by one; and the fold of runs that are read once.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from aim.core import params
from aim.storage.forms import fold
from aim.storage.forms.check_ins import CheckIn
from aim.storage.forms.edits import write
from aim.storage.forms.fold import FirstFold, Line, UnusualLine
from aim.storage.forms.history import Deletion, ForkedFrom, Rewind
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState
from tests.storage.event_files import ONE, lines_of


def test_a_drop_hides_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    """
    A drop is remembered with its moment; of a sequence that nobody knows it says nothing.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "sequence": 1, "name": "loss", "context": {}, "kind": "float"})
    drop: list[dict[str, object]] = [{"name": name, "context": {}} for name in ("loss", "unknown")]
    at_s = write(tmp_path, {"drop": drop}, by="test")
    state_now = RunLog(tmp_path).refresh()

    assert [("loss", at_s)] == [(sequence.name, sequence.dropped_at_s) for sequence in state_now.sequences.values()]
    assert [] == state_now.damage


def test_tags_keep_the_order_in_which_they_came(tmp_path: Path) -> None:
    """
    A tag that is added twice stays where it was; one that was removed comes last.
    """
    for at_s, add, remove in ((1.0, ["b", "a"], []), (2.0, ["a", "c"], []), (3.0, [], ["b"]), (4.0, ["b"], ["x"])):
        lines_of(tmp_path, ONE, {"at": at_s, "tags": {"add": add, "remove": remove}})

    assert ["a", "c", "b"] == list(RunLog(tmp_path).refresh().tags)


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
    state_now = log.refresh()

    assert {"l": [1], "b": 2} == {key: log.params[key] for key in ("l", "b")}
    assert [ONE] == [item.file for item in state_now.damage]
    assert "can't be understood" in state_now.damage[0].problem


def test_unknown_lines_and_keys_are_ignored(tmp_path: Path) -> None:
    """
    What a later version adds is no damage.
    """
    lines_of(tmp_path, ONE, {"at": 1.0, "rewind": 5}, {"at": 2.0, "set": ["a"], "value": 1, "why": "x"})
    log = RunLog(tmp_path)

    assert [] == log.refresh().damage
    assert {"a": 1} == log.params


# runs that are read once


def _usual_lines(chance: random.Random) -> list[Line]:
    events_of_run: list[dict[str, Any]] = [{"begin": {"format": 1}}]
    for number in range(1, 4):
        declared = {"sequence": number, "name": f"s{number}", "context": {"a": number % 2}, "kind": "float"}
        events_of_run.append(declared)
    for _ in range(chance.randrange(8)):
        path: list[str | int] = [chance.choice("abc") for _ in range(chance.randint(1, 3))]
        value = chance.choice(
            [1, "x", [1, 2], {"d": {"e": 2.5}}, {"$float": "inf"}, {}, {"f": {"$float": "nan"}, "g": 1}]
        )
        events_of_run.append({"set": path, "value": value})
    events_of_run += [
        {"property": {"name": "mine"}},
        {"tags": {"add": ["x", "y"]}},
        {"tags": {"remove": ["x"]}, "by": "ui"},
        {"check_in": {"expect_next_in": 5.0}},
        {"end": {"state": "finished"}},
    ]
    return [(float(at), ONE, at, {"at": float(at), **event}) for at, event in enumerate(events_of_run, 1)]


@pytest.mark.parametrize("seed", range(30))
def test_runs_that_are_read_once_are_folded_as_all_others_are(seed: int) -> None:
    """
    The fast fold finds the params, properties, tags and declarations that the general one finds.
    """
    lines = _usual_lines(random.Random(seed))
    expected = RunState("run")
    for line in lines:
        fold.apply(expected, line)
    folded = FirstFold(lambda name, kind, context: (name, kind, context)).fold("run", lines)

    assert repr(sorted(params.flatten(expected.tree))) == repr(sorted(folded.leaves.items()))
    assert (expected.properties, expected.tags) == (folded.state.properties, folded.state.tags)
    assert expected.check_in == folded.state.check_in
    assert {
        number: (sequence.name, sequence.kind, sequence.context)
        for number, sequence in expected.sequences_by_number.items()
    } == folded.declared


@pytest.mark.parametrize(
    "event",
    [
        {"rewind": 3},
        {"drop": []},
        {"point": 1, "step": 0, "epoch": None, "value": 2**60},
        {"forked_from": {"run": "x", "step": 1}},
        {"del": ["a"]},
        {"set": ["a"], "value": 1, "new": True},
        {"sequence": 1, "name": "loss", "context": {}, "kind": "float", "new": True},
        {"something": "new"},
    ],
)
def test_a_line_with_a_history_is_left_to_the_general_fold(event: dict[str, Any]) -> None:
    """
    What hides or takes back points, and every key that is not known, is refused by the fast fold.
    """
    first_fold = FirstFold(lambda name, kind, context: name)

    with pytest.raises(UnusualLine):
        first_fold.fold("run", [(1.0, ONE, 1, {"at": 1.0, **event})])


def test_what_runs_declare_alike_is_made_once() -> None:
    """
    Runs share what is made of a declaration, and a number that is declared twice is refused.
    """
    made: list[str] = []

    def declaration(name: str, kind: str, context: dict[str, Any]) -> str:
        made.append(name)
        return name

    first_fold = FirstFold(declaration)
    line: Line = (1.0, ONE, 1, {"at": 1.0, "sequence": 1, "name": "loss", "context": {}, "kind": "float"})
    assert {(ONE, 1): "loss"} == first_fold.fold("a", [line]).declared == first_fold.fold("b", [line]).declared
    assert ["loss"] == made

    with pytest.raises(UnusualLine):
        first_fold.fold("c", [line, line])


# what each key does


def folded(*events_of_run: dict[str, Any]) -> RunState:
    """Return the state after lines of one writer, at the seconds 1, 2, 3 ..."""
    state_now = RunState("run")
    declared = {"sequence": 1, "name": "loss", "context": {"b": 1, "a": [1]}, "kind": "int"}
    for second, event in enumerate([declared, *events_of_run], 1):
        fold.apply(state_now, (float(second), ONE, second, {"at": float(second), **event}))
    return state_now


LOSS = {"name": "loss", "context": {"a": [1], "b": 1}}


def test_a_declaration_makes_a_sequence_and_its_number() -> None:
    """
    Name, context in its given order, kind and number are those of the line; a line without a kind declares nothing.
    """
    state_now = folded({"sequence": 2, "name": "other", "context": {}})
    ((key, sequence),) = state_now.sequences.items()

    assert ("loss", '{"a":[1],"b":1}') == key
    assert ("loss", ["b", "a"], "int") == (sequence.name, list(sequence.context), sequence.kind)
    assert {(ONE, 1): sequence} == state_now.sequences_by_number


@pytest.mark.parametrize(("changed", "error"), [({"name": 5}, TypeError), ({"context": None}, AttributeError)])
def test_a_declaration_of_no_name_is_refused(changed: dict[str, Any], error: type[Exception]) -> None:
    """
    A name that is no text would spoil whatever sorts names.
    """
    with pytest.raises((error, TypeError)):
        folded({"sequence": 2, "name": "a", "context": {}, "kind": "int", **changed})


@pytest.mark.parametrize(("time", "expected"), [({}, 2.0), ({"time": 1.5}, 1.5), ({"time": "x"}, 2.0)])
def test_an_exact_point_has_the_time_of_its_line_or_its_own(time: dict[str, Any], expected: float) -> None:
    """
    Points that were copied keep their time; one that is no time is the line's.
    """
    state_now = folded({"point": 1, "step": "7", "epoch": 0.5, "value": str(2**60), **time})
    (point,) = state_now.sequences["loss", '{"a":[1],"b":1}'].exact_points

    assert (7, expected, 0.5, 2**60, ONE) == (point.step, point.time_s, point.epoch, point.value, point.writer)


def test_a_point_of_no_sequence_is_refused() -> None:
    """
    A number that was not declared by this writer names no sequence.
    """
    with pytest.raises(ValueError, match="no sequence has the number 2"):
        folded({"point": 2, "step": 7, "epoch": None, "value": 1})


def test_what_was_taken_back_is_remembered_with_its_moment() -> None:
    """
    Rewinds, drops and deletions have the time of their line, and each counts as a retraction.
    """
    state_now = folded(
        {"rewind": "5"},
        {"drop": [LOSS, {"name": "unknown", "context": {}}]},
        {"delete": [{**LOSS, "steps": [7]}]},
        {"delete": [{**LOSS, "steps": [8], "items": [0]}]},
        {"property": {"name": "x"}},
    )
    (sequence,) = state_now.sequences.values()

    assert ((Rewind(5, 2.0),), 4) == (state_now.rewinds, state_now.retraction_count)
    assert 3.0 == sequence.dropped_at_s
    assert [Deletion(4.0, frozenset({7})), Deletion(5.0, frozenset({8}), frozenset({0}))] == sequence.deletions


def test_an_undone_deletion_is_the_one_of_its_moment() -> None:
    """
    `undelete` names time, steps and objects of what it undoes; other deletions stay.
    """
    deletion = {**LOSS, "steps": [7]}
    state_now = folded(
        {"delete": [deletion]},
        {"delete": [deletion]},
        {"undelete": [{**deletion, "at": 2.0}]},
        {"undelete": [{**deletion, "at": 3.0, "items": [0]}]},
    )
    (sequence,) = state_now.sequences.values()

    assert ([Deletion(3.0, frozenset({7}))], 4) == (sequence.deletions, state_now.retraction_count)


def test_the_latest_of_a_name_counts_and_gaps_add_up() -> None:
    """
    Artifacts by name, the last check-in and fork, all gaps.
    """
    gap = {"points": 2, "lines": 0, "from": 1.0, "until": 2.0, "why": "full"}
    artifact = {"name": "model", "uri": None, "size": 1, "sha256": "a"}
    state_now = folded(
        {"artifact": artifact}, {"artifact": {**artifact, "size": 2}}, {"gap": gap}, {"gap": gap},
        {"check_in": {"expect_next_in": 5}}, {"check_in": {"finished": True}}, {"forked_from": {"run": "a", "step": 3}},
    )  # fmt: skip

    assert [2] == [record.size_bytes for record in state_now.artifacts.values()]
    assert [2, 2] == [each.point_count for each in state_now.gaps]
    assert CheckIn(7.0, 0.0, True) == state_now.check_in
    assert ForkedFrom("a", 3, 8.0) == state_now.forked_from


def test_a_line_sets_before_it_deletes() -> None:
    """
    A line with both keys sets its value and then deletes.
    """
    state_now = folded({"set": ["a"], "value": {"b": 1, "c": 2}, "del": ["a", "b"]})

    assert {"a": {"c": 2}} == state_now.tree


@pytest.mark.parametrize("changed", [{"sequence": "1"}, {"name": 5}, {"kind": None}])
def test_a_declaration_of_other_types_is_left_to_the_general_fold(changed: dict[str, Any]) -> None:
    """
    The fast fold takes texts and integers as they are, and nothing that would have to be made one.
    """
    line = {"at": 1.0, "sequence": 1, "name": "loss", "context": {}, "kind": "float", **changed}
    with pytest.raises(UnusualLine):
        FirstFold(lambda name, kind, context: name).fold("run", [(1.0, ONE, 1, line)])
