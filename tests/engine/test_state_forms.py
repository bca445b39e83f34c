"""
States of runs as JSON and back: nothing is lost.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np

from aim import Image, Run
from aim.engine.opening import open_door
from aim.engine.repository import Repository
from aim.engine.run_states import RunStates
from aim.engine.state_forms import state_of
from aim.sdk.run_source import restore


def test_a_state_is_the_same_after_json(tmp_path: Path) -> None:
    """
    Params with all kinds of values, properties, tags, sequences, rewinds, deletions, gaps, artifacts and writers.
    """
    run = Run("mine", repo=str(tmp_path), create=True, system_tracking_interval=None, capture_terminal_logs=False)
    run["hparams"] = {"nan": math.nan, 3: [1, {"$x": None}], "big": 2**80, "bytes": b"\0\xff", "text": "\ud800ü"}
    run["picture"] = Image(np.zeros((2, 3, 3), np.uint8))
    run.name = "mine"
    run.add_tag("paper")
    for step in range(4):
        run.track(0.5 * step, name="loss", context={"b": 1, "a": math.inf})
    run.rewind(2)
    run.delete_points("loss", {"b": 1, "a": math.inf}, steps=1)
    (tmp_path / "file").write_text("content")
    run.log_artifact(str(tmp_path / "file"), block=True)
    run.close()
    door = open_door(tmp_path, restore=restore)
    assert isinstance(door, Repository)
    state = door.run("mine").state()

    (form,) = RunStates(door.backend).forms(["mine", "none"]).forms
    back = state_of(json.loads(json.dumps(form)), restore)

    assert repr(state.params["hparams"]) == repr(back.params["hparams"])
    assert state.params["picture"].stored() == back.params["picture"].stored()
    for name in ("properties", "tags", "damage", "latest_at_s", "created_at_s", "check_in", "artifacts", "rewinds"):
        assert getattr(state, name) == getattr(back, name), name
    assert (state.forked_from, state.gaps, state.retraction_count) == (
        back.forked_from,
        back.gaps,
        back.retraction_count,
    )
    assert state.sequences == back.sequences
    assert [list(sequence.context) for sequence in state.sequences.values()] == [
        list(sequence.context) for sequence in back.sequences.values()
    ]
    assert state.status(time.time()) == back.status(time.time())
    assert state.error() == back.error()


def test_whether_a_writer_records_is_what_the_server_said(tmp_path: Path) -> None:
    """
    A client has neither the process nor the files of the writer.
    """
    door = open_door(tmp_path, create=True)
    assert isinstance(door, Repository)
    writer = door.new_run("mine")
    states = RunStates(door.backend)
    (recording,) = states.forms(["mine"]).forms
    writer.close()
    (ended,) = states.forms(["mine"]).forms

    assert ["running", "finished"] == [state_of(form, None).status(9e9)[0] for form in (recording, ended)]


def test_a_deleted_run_has_no_state(tmp_path: Path) -> None:
    """
    Also when its state was asked for before.
    """
    door = open_door(tmp_path, create=True)
    assert isinstance(door, Repository)
    door.new_run("mine").close()
    states = RunStates(door.backend)
    assert 1 == len(states.forms(["mine"]).forms)
    door.delete_run("mine")

    assert ([], []) == states.forms(["mine"])
