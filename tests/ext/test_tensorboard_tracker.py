"""
A run that follows a folder of event files records what comes into it, with the times of the records.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from aim.ext.tensorboard_tracker import Run
from tests.convert.sources import DATA, expected_runs, last_values

SOURCE = DATA / "tb-torch" / "lenet" / "v1"


def test_what_a_program_writes_is_recorded_while_it_writes(tmp_path: Path) -> None:
    """
    Records that come in two parts, one of them cut within a record, are all there once, with their own times.
    """
    logs = tmp_path / "logs" / "v1"
    logs.mkdir(parents=True)
    content = next(SOURCE.glob("*tfevents*")).read_bytes()
    path = logs / "events.out.tfevents.1.box.1.0"
    path.write_bytes(content[:755])
    run = Run(sync_tensorboard_log_dir=logs.parent, repo=tmp_path)
    run.flush()
    path.write_bytes(content)
    run.close()

    metric = Run(run.hash, sync_tensorboard_log_dir=tmp_path / "none", repo=tmp_path)
    loss = metric.get_metric("loss/train", {"entry": "v1"})
    expected = last_values(expected_runs(DATA / "tb-torch")["lenet/v1"]["metrics"][0]["logged"])
    assert repr(list(expected.values())) == repr(loss.values.tolist())
    assert 1_700_000_000.0 == loss.timestamps[0]
    metric.close()


def test_a_resumed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """
    What a run has recorded of a file is not recorded again when the run is resumed.
    """
    logs = tmp_path / "logs"
    shutil.copytree(SOURCE, logs / "v1")
    first = Run(sync_tensorboard_log_dir=logs, repo=tmp_path)
    first.close()
    again = Run(first.hash, sync_tensorboard_log_dir=logs, repo=tmp_path)
    again.close()

    writers = {
        part.writer
        for sequence in again._recording.door.run(first.hash).state().sequences.values()
        for part in sequence.parts
    }
    assert 1 == len(writers)
