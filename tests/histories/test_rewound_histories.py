"""
Runs that are rewound, forked, cleaned of points, sealed and resumed at random, against a list of what was called.
"""

from __future__ import annotations

import copy
import itertools
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from aim import Repo, Run, Text
from aim.engine import sealing
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.engine.scan import Scan
from aim.storage.care.check import check_run

MEMORY = Path("/dev/shm")
NUMBERS = ("loss", "acc")
STEPS = st.integers(-2, 9)
VALUES = st.integers(-3, 3).map(float) | st.just(2**60 + 1) | st.integers(-3, 3)
TEXTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)


@dataclass(frozen=True)
class Call:
    """One call: `track` of a value, `rewind`, or `delete` of steps, or of objects of the list at a step."""

    what: str
    name: str = ""
    step: int = 0
    value: Any = None
    steps: frozenset[int] = frozenset()
    items: frozenset[int] | None = None


@dataclass
class Oracle:
    """What was called on one run, in order; what it shows follows from that."""

    calls: list[Call] = field(default_factory=list)
    upcoming: dict[str, int] = field(default_factory=dict)
    has_one_writer: bool = True

    def shown(self, until: int | None = None) -> dict[str, dict[int, Any]]:
        """Return the value by step of each sequence; as it stood before call *until*, or now."""
        found: dict[str, dict[int, Any]] = {}
        stop = len(self.calls) if until is None else until
        for place, call in enumerate(self.calls[:stop]):
            if call.what != "track":
                continue
            later = self.calls[place + 1 : stop]
            if any(other.what == "rewind" and call.step > other.step for other in later):
                continue
            # what was deleted is deleted for good, in earlier states too
            deletions = [
                other
                for other in self.calls[place + 1 :]
                if other.what == "delete" and other.name == call.name and call.step in other.steps
            ]
            if any(other.items is None for other in deletions):
                continue
            value = call.value
            if isinstance(value, list):
                gone = frozenset().union(*(other.items or frozenset() for other in deletions))
                value = [item for index, item in enumerate(value) if index not in gone]
            found.setdefault(call.name, {})[call.step] = value
        return found

    def rewinds(self) -> list[int]:
        """Return the places of the rewinds."""
        return [place for place, call in enumerate(self.calls) if call.what == "rewind"]

    def forked(self, step: int) -> Oracle:
        """Return what a fork shows, as if it had been tracked."""
        shown = self.shown()
        calls = [
            Call("track", name, at, value)
            for name, points in shown.items()
            for at, value in points.items()
            if at <= step
        ]
        upcoming = {
            name: max(0, min(max(points) + 1, step + 1)) for name, points in shown.items() if min(points) <= step
        }
        return Oracle(calls, upcoming)


def plain(value: Any) -> Any:
    """Return texts as str."""
    if isinstance(value, Text):
        return value.data
    return [plain(item) for item in value] if isinstance(value, list) else value


def contents(run: Any) -> dict[str, dict[int, Any]]:
    """Return the value by step of each sequence that a reader sees."""
    found = {}
    for name in (*NUMBERS, "said"):
        sequence = run.get_text_sequence(name) if name == "said" else run.get_metric(name)
        if sequence is not None:
            found[name] = {step: plain(value) for step, value in zip(*sequence.values.sparse_list(), strict=True)}
    return found


class RewoundHistory(RuleBasedStateMachine):
    """
    Several writers, sealers and readers who delete; after each step a fresh reader and the catalogue see what the list
    says, now and before each rewind.
    """

    writers = Bundle("writers")

    @initialize(target=writers)
    def begin(self) -> Any:
        self.folder = Path(tempfile.mkdtemp(prefix="aim-rewound-", dir=MEMORY if MEMORY.is_dir() else None))
        self.repo = Repo(str(self.folder), init=True)
        self.oracle: dict[str, Oracle] = {}
        self.numbers = itertools.count()
        self.runs: list[Run] = []
        self.scan = self._scan()
        return self._begin_run()

    @rule(target=writers)
    def new_run(self) -> Any:
        return self._begin_run()

    def _scan(self) -> Scan:
        repository = Repository(self.folder)
        return Scan(LiveCatalogue(repository.readers, cache=self.folder / "cache"))

    def _begin_run(self) -> tuple[int, Run]:
        run = Run(repo=self.repo, system_tracking_interval=None, capture_terminal_logs=False)
        self.oracle[run.hash] = Oracle()
        return self._known(run)

    def _known(self, run: Run) -> tuple[int, Run]:
        self.runs.append(run)
        return next(self.numbers), run

    @rule(target=writers, writer=writers)
    def another_writer(self, writer: tuple[int, Run]) -> Any:
        self.oracle[writer[1].hash].has_one_writer = False
        return self._known(
            Run(writer[1].hash, repo=self.repo, system_tracking_interval=None, capture_terminal_logs=False)
        )

    @rule(writer=writers, name=st.sampled_from(NUMBERS), value=VALUES, step=STEPS, automatic=st.booleans())
    def track(self, writer: tuple[int, Run], name: str, value: float, step: int, automatic: bool) -> None:
        self._track(writer[1], name, value, value, step, automatic)

    @rule(writer=writers, texts=TEXTS, step=STEPS, automatic=st.booleans())
    def track_texts(self, writer: tuple[int, Run], texts: list[str], step: int, automatic: bool) -> None:
        self._track(writer[1], "said", [Text(text) for text in texts], texts, step, automatic)

    def _track(self, run: Run, name: str, value: Any, shown: Any, step: int, automatic: bool) -> None:
        oracle = self.oracle[run.hash]
        upcoming = oracle.upcoming.get(name, 0)
        automatic = automatic and oracle.has_one_writer
        run.track(value, name=name, step=None if automatic else step)
        at = upcoming if automatic else step
        oracle.upcoming[name] = max(upcoming, at + 1)
        oracle.calls.append(Call("track", name, at, shown))

    @rule(writer=writers, step=STEPS)
    def rewind(self, writer: tuple[int, Run], step: int) -> None:
        run = writer[1]
        rewind = run.rewind(step)
        oracle = self.oracle[run.hash]
        oracle.calls.append(Call("rewind", step=step))
        oracle.upcoming = {name: min(at, max(0, step + 1)) for name, at in oracle.upcoming.items()}
        assert rewind == run.rewinds[-1]

    @rule(target=writers, writer=writers, step=STEPS)
    def fork(self, writer: tuple[int, Run], step: int) -> Any:
        run = writer[1]
        child = run.fork(step, system_tracking_interval=None, capture_terminal_logs=False)
        self.oracle[child.hash] = self.oracle[run.hash].forked(step)
        assert child.forked_from is not None
        assert (run.hash, step) == (child.forked_from.run_hash, child.forked_from.step)
        return self._known(child)

    @rule(
        writer=writers,
        name=st.sampled_from((*NUMBERS, "said")),
        steps=st.frozensets(STEPS, min_size=1, max_size=3),
        items=st.none() | st.frozensets(st.integers(0, 2), min_size=1, max_size=2),
        outside=st.booleans(),
    )
    def delete(
        self, writer: tuple[int, Run], name: str, steps: frozenset[int], items: frozenset[int] | None, outside: bool
    ) -> None:
        items = items if name == "said" else None
        run = writer[1]
        oracle = self.oracle[run.hash]
        who = self.repo.get_run(run.hash) if outside else run
        assert who is not None
        before = oracle.shown().get(name, {})
        count = who.delete_points(name, steps=steps, items=items)
        here = {step: before[step] for step in steps if step in before}
        assert count <= len(here)
        if items is None:
            assert count == len(here)
        for step in here:
            left = self._left(run.hash, name, step, items)
            if items is None or left == []:
                oracle.calls.append(Call("delete", name, steps=frozenset({step})))
            else:
                oracle.calls.append(Call("delete", name, steps=frozenset({step}), items=items))

    def _left(self, run_hash: str, name: str, step: int, items: frozenset[int] | None) -> Any:
        oracle = copy.deepcopy(self.oracle[run_hash])
        oracle.calls.append(Call("delete", name, steps=frozenset({step}), items=items))
        return oracle.shown().get(name, {}).get(step, [])

    @rule(writer=consumes(writers), seals=st.booleans())
    def close(self, writer: tuple[int, Run], seals: bool) -> None:
        writer[1].close()
        if seals:
            self.seal()
            self.look_anew(keeps_file=False)

    @rule()
    def seal(self) -> None:
        sealing.seal_all(self.folders())

    def folders(self) -> list[Path]:
        return [Path(self.repo.path, "runs", run_hash) for run_hash in self.repo.list_all_runs()]

    @rule(keeps_file=st.booleans())
    def look_anew(self, keeps_file: bool) -> None:
        self.scan.catalogue.close()
        if not keeps_file:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
        self.scan = self._scan()

    @rule()
    def check(self) -> None:
        assert [] == [damage for folder in self.folders() for damage in check_run(folder)]

    @invariant()
    def agrees_with_oracle(self) -> None:
        if not hasattr(self, "repo"):
            return
        fresh = Repo(str(self.folder))
        found = {}
        for run in fresh.iter_runs():
            assert len(self.oracle[run.hash].rewinds()) == len(run.rewinds)
            earlier = [contents(run.before(rewind)) for rewind in run.rewinds]
            found[run.hash] = [*earlier, contents(run)]
        expected = {
            run_hash: [oracle.shown(until) for until in (*oracle.rewinds(), None)]
            for run_hash, oracle in self.oracle.items()
        }
        assert {run: [_without_empty(state) for state in states] for run, states in expected.items()} == found

    @invariant()
    def the_catalogue_says_the_same(self) -> None:
        if not hasattr(self, "scan"):
            return
        for name in NUMBERS:
            expected = {}
            for run_hash, oracle in self.oracle.items():
                points = oracle.shown().get(name)
                if points:
                    expected[run_hash] = (float(points[max(points)]), max(points), len(points))
            columns = [self.scan.summaries(name, value=value) for value in ("last", "last_step", "count")]
            hashes = columns[0][0]
            assert expected == dict(zip(hashes, zip(*(column.tolist() for _, column in columns)), strict=True))

    def teardown(self) -> None:
        if hasattr(self, "scan"):
            self.scan.catalogue.close()
            for run in self.runs:
                run.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def _without_empty(state: dict[str, dict[int, Any]]) -> dict[str, dict[int, Any]]:
    return {name: dict(sorted(points.items())) for name, points in state.items() if points}


TestRewoundHistory = RewoundHistory.TestCase
TestRewoundHistory.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
