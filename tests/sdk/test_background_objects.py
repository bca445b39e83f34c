"""
Objects that are encoded in the background: when they are seen, what a kill takes, what is copied.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Image, Repo, Run, Text
from aim.core.values import Stored

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and forks")
PIXELS = np.arange(256 * 256, dtype=np.uint8).reshape(256, 256)


def images_of(repo: Repo, run_hash: str, name: str = "images") -> list[int]:
    """Return the captions of the images that another process would see."""
    reading = repo.get_run(run_hash)
    assert reading is not None
    sequence = reading.get_image_sequence(name)
    return [] if sequence is None else [image.caption for image in sequence.values.values_list()]


def test_what_was_tracked_is_seen_by_the_same_run_at_once(run: Run) -> None:
    """
    Reading through the run that records waits for what is still being encoded.
    """
    for step in range(20):
        run.track(Image(PIXELS, caption=step), name="images", step=step)

    assert list(range(20)) == [image.caption for image in run.get_image_sequence("images").values.values_list()]


def test_after_flush_it_is_seen_by_all(repo: Repo, run: Run) -> None:
    """
    `flush()` returns when every object tracked before is on the disk and can be read by others.
    """
    for step in range(20):
        run.track([Image(PIXELS, caption=step)] * 2, name="batch", step=step)
    run.track(Image(PIXELS, caption=1), name="images")
    run.flush()

    assert [1] == images_of(repo, run.hash)
    assert 19 == repo.get_run(run.hash).get_image_sequence("batch").last_step()


def test_what_was_tracked_is_seen_at_once_within_the_process(repo: Repo, run: Run) -> None:
    """
    Another object of the same process that reads the run, or asks the repository, finds what `track()` returned for.
    """
    counts = []
    for step in range(20):
        run.track(Image(PIXELS, caption=step), name="images", step=step)
        run.track(Image(PIXELS), name=f"of step {step}")
        found = [len(images) for images in repo.query_images("images.name == 'images'")]
        counts.append((len(images_of(repo, run.hash)), *found, len(list(repo.query_images()))))

    assert [(count, count, count + 1) for count in range(1, 21)] == counts


def test_close_loses_nothing(repo: Repo) -> None:
    """
    A run that is closed right after many images has all of them.
    """
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for step in range(300):
            run.track(Image(PIXELS, caption=step), name="images", step=step)

    assert list(range(300)) == images_of(repo, run.hash)


def test_the_end_of_the_process_loses_nothing(tmp_path: Path) -> None:
    """
    A process that ends without closing its run has recorded all of its objects.
    """
    program = (
        "import numpy as np\nfrom aim import Image, Run\nrun = Run(repo='.', system_tracking_interval=None)\n"
        "for step in range(50): run.track(Image(np.zeros((300, 300)), caption=step), name='images')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    repo = Repo(tmp_path)
    (run_hash,) = repo.list_all_runs()

    assert list(range(50)) == images_of(repo, run_hash)


def test_the_caption_at_the_call_is_what_is_stored(run: Run) -> None:
    """
    An object is copied when it is tracked: what is changed afterwards belongs to the next time.
    """
    image = Image(PIXELS, caption="before")
    run.track(image, name="images")
    image.caption = "after"
    run.track(image, name="images")

    assert ["before", "after"] == [image.caption for image in run.get_image_sequence("images").values.values_list()]


def test_time_and_step_are_those_of_the_call(run: Run) -> None:
    """
    An object's moment is when it was tracked, not when its bytes were ready; and its step is counted then.
    """
    for _ in range(30):
        run.track(Image(PIXELS), name="images")
        run.track(0.5, name="loss")
    run.flush()

    images, losses = run.get_image_sequence("images"), run.get_metric("loss")
    assert images.indices == losses.indices
    assert all(np.asarray(images.timestamps.values_list()) <= np.asarray(losses.timestamps.values_list()))


def test_sync_records_before_it_returns(repo: Repo, run: Run) -> None:
    """
    With `sync=True` an object is seen by others when `track` returns; so are a list, a dict and a handle's.
    """
    run.track(Image(PIXELS, caption=0), name="images", sync=True)
    assert [0] == images_of(repo, run.hash)
    run.track({"dict": Image(PIXELS, caption=1)}, sync=True)
    assert [1] == images_of(repo, run.hash, "dict")
    run.sequence("handle").track(Image(PIXELS, caption=2), sync=True)
    assert [2] == images_of(repo, run.hash, "handle")


def test_what_has_nothing_to_encode_is_seen_at_once(repo: Repo, run: Run) -> None:
    """
    A text is recorded before `track` returns, as ever: there is nothing to wait for.
    """
    run.track(Text("hello"), name="texts")

    assert ["hello"] == [text.data for text in repo.get_run(run.hash).get_text_sequence("texts").values.tolist()]


def test_objects_of_other_classes_are_stored_at_once(run: Run) -> None:
    """
    A class that only has `stored()` promises no copy, so it is stored before `track` returns.
    """

    class Mesh:
        is_stored = False

        def stored(self) -> Stored:
            """Return its stored form."""
            self.is_stored = True
            return Stored("acme.mesh", {"vertices": 8}, b"x" * 100_000, "mesh")

    mesh = Mesh()
    run.track(mesh, name="meshes")

    assert mesh.is_stored


def test_a_wrong_kind_is_refused_at_the_call(run: Run) -> None:
    """
    An object in a sequence of another kind is the caller's error, and raised to the caller.
    """
    run.track(0.5, name="loss")

    with pytest.raises(ValueError, match="Incompatible data types"):
        run.track(Image(PIXELS), name="loss")


def test_an_object_that_cannot_be_made_leaves_no_point(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    When the bytes can't be made after all, there is an error in the log and no point; the next ones are recorded.
    """

    class Broken(Text):
        def _deferred(self) -> Any:
            """Offer to be made later."""
            from aim.core.values import Deferred

            def make() -> Stored:
                raise ValueError("no such font")

            return Deferred("aim.text", 1, make)

    run.track(Broken("x"), name="texts", step=0)
    run.track(Text("fine"), name="texts", step=1)

    assert [1] == run.get_text_sequence("texts").indices
    assert "no such font" in caplog.text


@posix
def test_a_kill_takes_what_waits_and_nothing_else(tmp_path: Path) -> None:
    """
    After SIGKILL every point that is there has its whole image, in order; what `flush` or `sync` returned for is there.
    """
    program = (
        "import os, signal, numpy as np\nfrom aim import Image, Run\n"
        "run = Run(repo='.', system_tracking_interval=None, capture_terminal_logs=False)\n"
        "pixels = np.random.default_rng(0).integers(0, 255, (400, 400), dtype=np.uint8)\n"
        "for step in range(5): run.track(Image(pixels, caption=step), name='images', step=step)\n"
        "run.flush()\n"
        "for step in range(5, 60): run.track(Image(pixels, caption=step), name='images', step=step)\n"
        "run.track(Image(pixels, caption=99), name='important', step=99, sync=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False, timeout=60)
    assert -signal.SIGKILL == done.returncode
    repo = Repo(tmp_path)
    (run_hash,) = repo.list_all_runs()

    found = images_of(repo, run_hash)
    assert list(range(len(found))) == found
    assert 5 <= len(found) < 60
    assert [99] == images_of(repo, run_hash, "important")
    images = repo.get_run(run_hash).get_image_sequence("images").values.values_list()
    assert {(400, 400)} == {image.to_pil_image().size for image in images}


@posix
def test_a_fork_while_objects_wait_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """
    What waits at a fork is written by the parent, once; the child records its own.
    """
    program = (
        "import os, numpy as np\nfrom aim import Image, Run\n"
        "run = Run(repo='.', system_tracking_interval=None, capture_terminal_logs=False)\n"
        "pixels = np.zeros((600, 600), dtype=np.uint8)\n"
        "for step in range(30): run.track(Image(pixels, caption=step), name='images', step=step)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    run.track(Image(pixels, caption=7), name='child', step=0)\n    run.close()\n    os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\nrun.close()"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=tmp_path, check=True, timeout=60)
    repo = Repo(tmp_path)
    (run_hash,) = repo.list_all_runs()

    assert list(range(30)) == images_of(repo, run_hash)
    assert [7] == images_of(repo, run_hash, "child")
