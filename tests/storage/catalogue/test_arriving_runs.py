"""
Runs that arrive at a server: only those of which something came are read again, and nothing that came is missed.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from aim.core import clock
from aim.core.statuses import LOST, RUNNING
from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.disk import layout
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store
from tests.storage.arriving import Training
from tests.storage.catalogue_histories import catalogue_of, contents, rebuilt

AGE_S = 1.0  # of a time that is not young any more


@pytest.fixture(name="receiver")
def _receiver(repository: Repository) -> Receiver:
    return Receiver(Store(repository.backend.files.path))


def settle(repository: Repository, catalogue: Catalogue) -> None:
    """Let everything have come a moment ago, and be read."""
    for folder in (repository.backend.files.path / "runs").iterdir():
        for path in (*folder.glob("*.events.jsonl"), folder):
            age(path, time.time() - path.stat().st_mtime + AGE_S)
    catalogue.refresh()  # reads the runs as they are followed,
    catalogue.refresh()  # and once more with their times
    assert [] == catalogue.arriving.changed()


def age(path: Path, by_s: float) -> None:
    """Let a file or a folder have been changed some seconds earlier."""
    changed_s = path.stat().st_mtime - by_s
    os.utime(path, (changed_s, changed_s))


def point_count(catalogue: Catalogue, run_hash: str) -> int:
    """Return how many points of a run the table knows."""
    sequences = contents(catalogue)[run_hash]["sequences"]
    return int(sequences["loss", "{}", "metric"]["count"])


@pytest.mark.parametrize("how", ["alive", "silent", "refused"])
def test_only_a_run_of_which_something_came_is_read(
    how: str, repository: Repository, catalogue: Catalogue, receiver: Receiver
) -> None:
    """
    Points are seen by the times that the server sets, whatever the request says of the writer, and what becomes of it.
    """
    trainings = [Training(receiver, number) for number in range(3)]
    for training in trainings:
        training.begin()
        training.send([training.points(2)], alive=True)
    settle(repository, catalogue)
    assert 3 == catalogue.arriving.count
    frames = [trainings[1].points(5)]
    if how == "refused":  # lines that begin behind the end of the file, after points that were written
        frames.append(Frame(wire.EVENTS, 0, 0, 1 << 20, b"{}\n"))
    state = trainings[1].send(frames, alive=how == "alive")

    assert state == (wire.BEHIND if how == "refused" else wire.OK)
    assert ["run-1"] == catalogue.arriving.changed()
    catalogue.refresh()
    assert [2, 7, 2] == [point_count(catalogue, training.run_hash) for training in trainings]


def test_an_edit_is_seen_at_once(repository: Repository, catalogue: Catalogue, receiver: Receiver) -> None:
    """
    A refresh that leaves out what arrives sees edits of these runs, also of the same moment, deletions, and new runs.
    """
    trainings = [Training(receiver, number) for number in range(2)]
    for training in trainings:
        training.begin()
        training.send([training.points()], alive=True)
    settle(repository, catalogue)
    trainings[0].send([trainings[0].points()], alive=True)
    for name in ("first", "second"):
        repository.edit("run-1", {"property": {"name": name}}, by="test")
        assert ["run-1"] == catalogue.refresh(arrivals=False).changed
        assert repr(name) == contents(catalogue)["run-1"]["fields"]["name"]
    repository.delete_run("run-1")
    repository.new_run("here").close()
    catalogue.refresh(arrivals=False)

    assert {"run-0", "here"} == set(contents(catalogue))
    assert ["run-0"] == catalogue.arriving.changed()
    assert ["run-0"] == catalogue.arriving.read(["run-0"]).changed
    assert 2 == point_count(catalogue, "run-0")


def test_a_run_of_this_host_is_read_each_time(repository: Repository, catalogue: Catalogue, receiver: Receiver) -> None:
    """
    Whether its process runs is seen from here at any moment, so it does not wait for what arrives.
    """
    Training(receiver, boot=clock.boot_id()).begin()
    catalogue.refresh()
    catalogue.refresh()

    assert 0 == catalogue.arriving.count


def test_a_training_that_fell_silent_is_lost(
    repository: Repository, catalogue: Catalogue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nothing arrives of it, so no time changes; it is read again at the moment from which it counts as lost.
    """
    training = Training(receiver)
    training.begin()
    settle(repository, catalogue)
    heard_s = layout.events_file(repository.backend.files.run_folder("run-0"), training.writer).stat().st_mtime
    monkeypatch.setattr(time, "time", lambda: heard_s + 59.0)
    catalogue.refresh()
    assert repr(RUNNING) == contents(catalogue)["run-0"]["fields"]["status"]
    assert [] == catalogue.arriving.changed()

    monkeypatch.setattr(time, "time", lambda: heard_s + 60.0)
    assert ["run-0"] == catalogue.arriving.changed()
    catalogue.refresh()
    assert repr(LOST) == contents(catalogue)["run-0"]["fields"]["status"]


def test_a_run_that_has_ended_arrives_no_more(repository: Repository, catalogue: Catalogue, receiver: Receiver) -> None:
    """
    Its last points and its end are seen, and it is not followed after that.
    """
    training = Training(receiver)
    training.begin()
    settle(repository, catalogue)
    end = {"segments": 1, "slots": 3}
    training.send([training.points(3)], alive=True)
    training.send([training.lines({"end": {"state": "finished", "segments": 1}})], end=end)
    receiver.sync()
    catalogue.refresh()
    settle(repository, catalogue)

    assert 3 == point_count(catalogue, "run-0")
    assert repr("finished") == contents(catalogue)["run-0"]["fields"]["status"]
    assert 0 == catalogue.arriving.count


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_equal_a_catalogue_made_from_nothing(
    seed: int, repository: Repository, tmp_path: Path
) -> None:
    """
    After any history of what arrives, ends, is edited or deleted, nothing is missing and nothing is stale.
    """
    chance = random.Random(seed)
    receiver = Receiver(Store(repository.backend.files.path))
    followed = catalogue_of(repository, tmp_path / "cache")
    trainings: list[Training] = []
    for number in range(80):
        _step(chance, repository, receiver, trainings)
        if chance.random() < 0.3:
            followed.refresh(arrivals=chance.random() < 0.5)
        if chance.random() < 0.2:
            followed.arriving.read(followed.arriving.changed())
        if chance.random() < 0.1:
            settle(repository, followed)
        if number % 20 == 19:
            followed.refresh()
            assert rebuilt(repository, tmp_path / f"fresh-{number}") == contents(followed)


def _step(chance: random.Random, repository: Repository, receiver: Receiver, trainings: list[Training]) -> None:
    """Let one thing happen."""
    if not trainings or chance.random() < 0.15:
        trainings.append(Training(receiver, len(trainings) + chance.randrange(1000) * 100))
        trainings[-1].begin()
        return
    training = chance.choice(trainings)
    action = chance.random()
    marks: dict[str, Any] = {"alive": True} if chance.random() < 0.7 else {}
    if action < 0.6:
        training.send([training.points(chance.randint(1, 8))], **marks)
    elif action < 0.7:
        training.send([training.lines({"set": ["lr"], "value": chance.random()})], **marks)
    elif action < 0.8:
        repository.edit(training.run_hash, {"property": {"name": str(chance.random())}}, by="test")
    elif action < 0.9:
        receiver.sync()
    else:
        trainings.remove(training)
        if action < 0.95:
            repository.delete_run(training.run_hash)
        else:
            training.send([training.lines({"end": {"state": "finished"}})], end={})
