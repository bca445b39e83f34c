"""
Runs that have ended, read the quick way: what is said is what `RunWatch`, which reads any run, says.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aim.engine.repository import Repository
from aim.storage.catalogue import ended_runs, reduction
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.catalogue.ended_runs import EndedRuns
from aim.storage.catalogue.run_watch import RunWatch, read_runs
from aim.storage.disk import layout
from aim.storage.forms import events
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal
from tests.storage.catalogue_histories import History, rounded

AT_S = 1_760_000_000.0
BEGIN = {"format": 1, "run": "r", "writer": "00000001", "host": "node7", "pid": 1, "boot": None, "process": None}
END: dict[str, Any] = {"state": "finished", "error": None, "segments": 0, "points": 0, "blobs": 0, "next": []}
KINDS = KindNumbers()
FLIPS = 400

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.sampled_from(("$float", "$dict", "nan")),
)
keys = st.one_of(st.sampled_from(("a", "b", "lr", "$float", "$bytes", "$x", "")), st.integers(-2, 3))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)


def quick(folder: Path) -> CatalogueRow | None:
    """Read a run the quick way; None when it is not a usual one."""
    return EndedRuns(KINDS).read([str(folder)]).get(folder.name)


def slow(folder: Path) -> CatalogueRow | None:
    """Read a run as any run is read; None when it is not there."""
    return read_runs([RunWatch(folder, KINDS)], lambda *_: None).get(folder.name)


def plain(row: CatalogueRow | None) -> Any:
    """Return facts so that equal ones are equal, NaN too."""
    if row is None:
        return None
    sequences = {
        key: {"kind": sequence.stored_kind, **{name: rounded(x) for name, x in sequence.summary._asdict().items()}}
        for key, sequence in row.sequences.items()
    }
    return {
        "hash": row.run_hash,
        "fields": {name: repr(value) for name, value in row.fields.items()},
        "leaves": {tuple(map(repr, path)): repr(leaf) for path, leaf in row.params.items()},
        "sequences": sequences,
        "contexts": row.contexts,
        "open": row.is_open,
    }


def without_medians(row: CatalogueRow | None) -> Any:
    """Return what `plain` returns, without the medians: sealing finds these, and journals leave them unknown."""
    whole = plain(row)
    for values in whole["sequences"].values():
        del values["median"]
    return whole


def write_run(folder: Path, *lines: dict[str, Any], begin: Any = None, end: Any = None) -> None:
    """Write the event file of a run with *lines* between its begin and its end."""
    folder.mkdir(parents=True)
    whole = [{"begin": begin or BEGIN}, *lines, {"end": end or END}]
    content = b"".join(events.encode({"at": AT_S + line_index, **line}) for line_index, line in enumerate(whole))
    layout.events_file(folder, "00000001").write_bytes(content)


def record(repository: Repository, do: Callable[[Writer], None]) -> Path:
    """Record a run; give its folder."""
    writer = repository.new_run()
    do(writer)
    writer.close()
    return repository.files / "runs" / writer.run_hash


def seal_all(folder: Path) -> None:
    """Seal all writers of a run that have ended."""
    state = RunLog(folder).refresh()
    for writer in state.writers.values():
        if writer.end is not None:
            seal.seal_writer(folder, writer.id, state)


def test_after_random_histories_both_ways_say_the_same(tmp_path: Path) -> None:
    """
    Of resumed, edited, sealed, dropped and open runs the quick way says nothing, or what the other one says.
    """
    answered = asked = 0
    for seed in range(12):
        chance = random.Random(seed)
        history = History(tmp_path / str(seed), chance)
        for _ in range(6):
            for _ in range(20):
                history.step()
            if chance.random() < 0.5:
                history.close()
            for folder in (history.repository.files / "runs").iterdir():
                row = quick(folder)
                asked += 1
                answered += row is not None

                assert row is None or plain(slow(folder)) == plain(row)
        history.close()

    assert asked > 100
    assert answered > 10


@settings(max_examples=150)
@given(st.lists(st.tuples(st.lists(keys, min_size=1, max_size=3), values), max_size=4))
def test_params_of_any_form_are_the_same(given_params: list[tuple[list[Any], Any]]) -> None:
    """
    Whatever params were set, one in the other or over it, each leaf is what the other way says.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        repository = Repository(Path(root), create=True)

        def set_all(writer: Writer) -> None:
            for path, value in given_params:
                writer.lines.set_param(tuple(path), value)

        folder = record(repository, set_all)
        row = quick(folder)

        assert row is not None
        assert plain(slow(folder)) == plain(row)


@pytest.mark.parametrize("is_sealed", [False, True])
@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("loss", "acc", "$")),
            st.sampled_from((None, {"subset": "val"}, {"fold": 1}, {"fold": 1.0}, {"fold": True}, {"x": [1]})),
            st.one_of(st.floats(), st.integers(-5, 5), st.just(2**60)),
            st.one_of(st.none(), st.integers(-3, 30)),
        ),
        max_size=30,
    )
)
def test_summaries_of_any_points_are_the_same(is_sealed: bool, points: list[tuple[Any, ...]]) -> None:
    """
    Points of any values, kinds and steps: journals and sealed files give the same summaries as the other way.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        repository = Repository(Path(root), create=True)

        def track_all(writer: Writer) -> None:
            for name, context, value, step in points:
                writer.sequence(name, context).track(value, step=step)

        folder = record(repository, track_all)
        if is_sealed:
            seal_all(folder)
        row = quick(folder)

        assert row is None or plain(slow(folder)) == plain(row)


def test_usual_runs_are_read_the_quick_way(tmp_path: Path) -> None:
    """
    A run with params, tags, ints and floats, two writers and an edit is known to the quick way, sealed or not.
    """
    repository = Repository(tmp_path / "work", create=True)

    def train(writer: Writer) -> None:
        writer.lines.set_param(("hparams",), {"lr": 0.1, "layers": [1, {"a": 2}], "deep": {"er": {}}})
        writer.lines.set_property(name="mine", experiment="first")
        writer.lines.change_tags(["best"])
        for step in range(600):
            writer.sequence("loss", {"subset": "val"}).track(1 / (step + 1), step=step)
            writer.sequence("count").track(step, step=step)

    folder = record(repository, train)
    second = repository.resume_run(folder.name)
    second.sequence("loss", {"subset": "val"}).track(7.0, step=600)
    second.close()
    repository.edit(folder.name, {"property": {"archived": True}}, by="test")
    before = quick(folder)
    seal_all(folder)
    after = quick(folder)

    assert before is not None
    assert plain(slow(folder)) == plain(after)
    assert without_medians(after) == without_medians(before)


@pytest.mark.parametrize("is_sealed", [False, True])
def test_damage_is_left_to_the_other_way(is_sealed: bool, tmp_path: Path) -> None:
    """
    With any byte of any file changed, or any file cut short, nothing is said, or what the other way says.
    """
    chance = random.Random(5)
    repository = Repository(tmp_path / "work", create=True)

    def train(writer: Writer) -> None:
        writer.lines.set_param(("hparams",), {"lr": 0.1})
        for step in range(40):
            writer.sequence("loss").track(float(step), step=step)

    folder = record(repository, train)
    repository.edit(folder.name, {"property": {"name": "edited"}}, by="test")
    if is_sealed:
        seal_all(folder)
    other = tmp_path / "flipped" / folder.name
    for number in range(FLIPS):
        shutil.copytree(folder, other)
        path = chance.choice(sorted(other.iterdir()))
        whole = path.read_bytes()
        byte_offset = chance.randrange(min(len(whole), 8192))
        flipped = (
            whole[:byte_offset] + bytes([whole[byte_offset] ^ (1 << chance.randrange(8))]) + whole[byte_offset + 1 :]
        )
        path.write_bytes(flipped if number % 3 else whole[:byte_offset])
        row = quick(other)

        assert row is None or plain(slow(other)) == plain(row), (path.name, byte_offset)
        shutil.rmtree(other)


@pytest.mark.parametrize("name", ["events.jsonl", "points-0000", "points.parquet"])
def test_a_file_that_is_gone_is_left_to_the_other_way(name: str, tmp_path: Path) -> None:
    """
    Without one of its files a run is not a usual one.
    """
    repository = Repository(tmp_path / "work", create=True)
    folder = record(repository, lambda writer: writer.sequence("loss").track(1.0))
    if name == "points.parquet":
        seal_all(folder)
    next(folder.glob(f"*.{name}")).unlink()

    assert quick(folder) is None


@pytest.mark.parametrize(
    "line",
    [
        {"rewind": 5},
        {"property": {"name": "a"}, "since": 1},
        {"set": ["a"], "value": 1, "unless": 2},
        {"sequence": 1, "name": "loss", "context": {}, "kind": "float", "from": "other"},
        {"sequence": 1, "name": "loss", "context": {"$float": "nan"}, "kind": "float"},
        {"set": ["a", 1.5], "value": 1},
        {"del": ["a"]},
        {"end": END},
        {"tags": 5},
    ],
)
def test_lines_that_are_not_known_are_left_to_the_other_way(line: dict[str, Any], tmp_path: Path) -> None:
    """
    An event, or a field of one, that this version does not know makes a run unusual.
    """
    write_run(tmp_path / "known", {"property": {"name": "a"}})
    write_run(tmp_path / "r", line)

    assert quick(tmp_path / "known") is not None
    assert quick(tmp_path / "r") is None or plain(slow(tmp_path / "r")) == plain(quick(tmp_path / "r"))
    assert "end" in line or quick(tmp_path / "r") is None


def test_a_begin_or_an_end_with_something_new_is_left_to_the_other_way(tmp_path: Path) -> None:
    """
    A field that this version does not know may say that the run's curves come from elsewhere.
    """
    write_run(tmp_path / "one", begin={**BEGIN, "forked": "x"})
    write_run(tmp_path / "two", end={**END, "hidden": 5})
    write_run(tmp_path / "three")

    assert [None, None] == [quick(tmp_path / "one"), quick(tmp_path / "two")]
    assert quick(tmp_path / "three") is not None


def test_a_run_that_did_not_end_is_left_to_the_other_way(tmp_path: Path) -> None:
    """
    Of a run that is recorded at the moment nothing is said.
    """
    repository = Repository(tmp_path / "work", create=True)
    writer = repository.new_run()
    writer.sequence("loss").track(1.0)
    row = quick(repository.files / "runs" / writer.run_hash)
    writer.close()

    assert row is None


def test_many_journals_are_reduced_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Journals that are too large to be reduced together are reduced one after the other.
    """
    repository = Repository(tmp_path / "work", create=True)

    def train(writer: Writer) -> None:
        for number in range(5):
            writer.sequence(f"metric {number}").track(number * 2.0)

    folders = [record(repository, train) for _ in range(6)]
    with monkeypatch.context() as patch:
        patch.setattr(reduction, "NUMBERS_MAX", 12)
        patch.setattr(ended_runs, "TABLE_RECORDS", 12)
        rows = EndedRuns(KINDS).read(map(str, folders))

    assert {folder.name: plain(slow(folder)) for folder in folders} == {
        run_hash: plain(run) for run_hash, run in rows.items()
    }
