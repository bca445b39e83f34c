"""
After any history of calls the repository and the tracker of dicts hold the same runs.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from aim import Repo, Run, Text
from aim.engine import sealing
from tests.histories.oracle import OracleRun, SequenceName

MEMORY = Path("/dev/shm")  # where a sync costs nothing; what a sync is worth is tested in tests/crash
NAMES = st.sampled_from(["loss", "acc", "größe/1"])
CONTEXTS = st.sampled_from([(), (("subset", "train"),), (("rank", 1), ("subset", "val"))])
STEPS = st.none() | st.integers(-3, 12) | st.integers(2**60, 2**60 + 3)
EPOCHS = st.none() | st.integers(0, 5).map(float) | st.just(0.1)
NUMBERS = (
    st.floats(allow_nan=False)
    | st.integers(-(2**53), 2**53)
    | st.integers(2**53 + 1, 2**63 - 1)
    | st.integers(-(2**63), -(2**53) - 1)
)
KEYS = st.sampled_from(["a", "b", "hparams"])
VALUES = st.none() | st.integers(-5, 5) | st.text(max_size=3) | st.lists(st.floats(allow_nan=False), max_size=2)
PARAMS = st.recursive(VALUES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=4)


def contents(run: Run) -> dict[str, Any]:
    """Return all that a reader sees of a run."""
    found: dict[SequenceName, Any] = {}
    for facts in run._stored_sequences():
        sequence = run.get_metric(facts.name, facts.context) or run.get_text_sequence(facts.name, facts.context)
        if sequence is not None:
            values = [
                (step, value.data if isinstance(value, Text) else value, epoch)
                for step, (value, epoch) in sequence.data.view(["val", "epoch"]).items()
            ]
            found[(facts.name, tuple(sorted(facts.context.items())))] = values
    name = None if run.name == f"Run: {run.hash}" else run.name
    return {"params": run[...], "name": name, "archived": run.archived, "tags": run.tags, "sequences": found}


class TrackerHistory(RuleBasedStateMachine):
    """
    Several writers, readers who edit, sealers and deleters work on one repository; the oracle keeps the books.
    """

    writers = Bundle("writers")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="aim-history-", dir=MEMORY if MEMORY.is_dir() else None))
        self.other = self.folder / "other"
        self.repo = Repo(str(self.folder), init=True)
        self.oracle: dict[str, OracleRun] = {}
        self.numbers = itertools.count()

    @rule(target=writers)
    def new_run(self) -> Any:
        run = Run(repo=self.repo, system_tracking_interval=None, capture_terminal_logs=False)
        self.oracle[run.hash] = OracleRun()
        return next(self.numbers), run

    @rule(target=writers, writer=writers)
    def another_writer(self, writer: tuple[int, Run]) -> Any:
        _, run = writer
        if run.hash not in self.oracle:
            return multiple()
        return next(self.numbers), Run(
            run.hash, repo=self.repo, system_tracking_interval=None, capture_terminal_logs=False
        )

    @rule(writer=writers, name=NAMES, context=CONTEXTS, value=NUMBERS, step=STEPS, epoch=EPOCHS)
    def track(
        self, writer: tuple[int, Run], name: str, context: Any, value: float, step: int | None, epoch: float | None
    ) -> None:
        number, run = writer
        run.track(value, name=name, step=step, epoch=epoch, context=dict(context))
        if run.hash in self.oracle:
            self.oracle[run.hash].sequence(number, (name, context)).track(number, value, step, epoch)

    @rule(writer=writers, context=CONTEXTS, text=st.text(max_size=5), step=STEPS)
    def track_text(self, writer: tuple[int, Run], context: Any, text: str, step: int | None) -> None:
        number, run = writer
        run.track(Text(text), name="text", step=step, context=dict(context))
        if run.hash in self.oracle:
            self.oracle[run.hash].sequence(number, ("text", context)).track(number, text, step, None)

    @rule(writer=writers, key=KEYS, value=PARAMS)
    def set_param(self, writer: tuple[int, Run], key: str, value: Any) -> None:
        _, run = writer
        run[key] = value
        if run.hash in self.oracle:
            self.oracle[run.hash].params[key] = value

    @rule(writer=writers, key=KEYS)
    def delete_param(self, writer: tuple[int, Run], key: str) -> None:
        _, run = writer
        del run[key]
        if run.hash in self.oracle:
            self.oracle[run.hash].params.pop(key, None)

    @rule(writer=writers, name=st.text(min_size=1, max_size=4), tag=st.sampled_from("xy"), outside=st.booleans())
    def rename_and_tag(self, writer: tuple[int, Run], name: str, tag: str, outside: bool) -> None:
        _, run = writer
        if run.hash not in self.oracle:
            return
        changed = self.repo.get_run(run.hash) if outside else run
        assert changed is not None
        changed.name = name
        changed.archived = not self.oracle[run.hash].archived
        self.oracle[run.hash].name = name
        self.oracle[run.hash].archived = not self.oracle[run.hash].archived
        if tag in self.oracle[run.hash].tags:
            changed.remove_tag(tag)
            self.oracle[run.hash].tags.remove(tag)
        else:
            changed.add_tag(tag)
            self.oracle[run.hash].tags.append(tag)

    @rule(writer=consumes(writers))
    def close(self, writer: tuple[int, Run]) -> None:
        writer[1].close()

    @rule()
    def seal(self) -> None:
        sealing.seal_all(Path(self.repo.path, "runs", run_hash) for run_hash in self.repo.list_all_runs())

    @rule(writer=writers)
    def delete(self, writer: tuple[int, Run]) -> None:
        if self.oracle.pop(writer[1].hash, None) is not None:
            self.repo.delete_run(writer[1].hash)

    @rule(writer=writers)
    def copy(self, writer: tuple[int, Run]) -> None:
        _, run = writer
        target = Repo(str(self.other), init=True)
        if run.hash in self.oracle and not target.run_exists(run.hash):
            assert (True, []) == self.repo.copy_runs([run.hash], target)
            copied = target.get_run(run.hash)
            assert copied is not None
            assert self.oracle[run.hash].contents() == contents(copied)

    @invariant()
    def agrees_with_oracle(self) -> None:
        if not hasattr(self, "repo"):
            return
        fresh = Repo(str(self.folder))
        assert {run_hash: run.contents() for run_hash, run in self.oracle.items()} == {
            run.hash: contents(run) for run in fresh.iter_runs()
        }

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


TestTrackerHistory = TrackerHistory.TestCase
TestTrackerHistory.settings = settings(
    max_examples=2000 if LONG else 60,
    stateful_step_count=60 if LONG else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
