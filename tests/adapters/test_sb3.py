"""
The callback of Stable-Baselines3, with two short rollouts of a small environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim import Image, Text, Video
from aim.core.errors import UsageError
from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import sb3_model

pytest.importorskip("stable_baselines3")
adapter = pytest.importorskip("aim.sb3")
logger = pytest.importorskip("stable_baselines3.common.logger")
torch = pytest.importorskip("torch")


def test_a_training_is_recorded(repo: Path) -> None:
    """
    Names are parted at the first slash; the hyperparameters are the arguments of the algorithm.
    """
    callback = adapter.AimCallback(str(repo), "cartpole", log_model=True, gradient_save_freq=100, **QUIET)
    sb3_model().learn(128, callback=callback)
    callback.close()
    run = the_run(repo)
    recorded = metrics(run)

    assert ("PPO", "CartPole-v1", 64) == tuple(run["hparams", name] for name in ("algo", "env", "n_steps"))
    assert [64, 128] == steps(run, "ep_rew_mean", tag="rollout")
    assert {("loss", (("subset", "train"),)), ("total_timesteps", (("tag", "time"),))} <= recorded
    assert ["checkpoints/model.zip"] == list(run.artifacts)
    assert run.get_distribution_sequence("action_net.weight", {"type": "gradients"}) is not None


def test_the_outputs_of_the_model_stay(repo: Path) -> None:
    """
    Ours is one more output: a file that the user asked for is still written.
    """
    model = sb3_model()
    model.set_logger(logger.configure(str(repo / "logs"), ["csv"]))
    callback = adapter.AimCallback(str(repo), **QUIET)
    for _ in range(2):
        model.learn(64, callback=callback)
    callback.close()

    assert "ep_rew_mean" in (repo / "logs/progress.csv").read_text()
    assert 2 == len(model.logger.output_formats)


def test_a_training_that_goes_on_continues_its_curves(repo: Path) -> None:
    """
    With `reset_num_timesteps=False` steps go on, without it the curves begin again.
    """
    callback = adapter.AimCallback(str(repo), model_save_freq=64, **QUIET)
    model = sb3_model()
    model.learn(64, callback=callback)
    model.learn(64, callback=callback, reset_num_timesteps=False)
    callback.close()
    assert [64, 128] == steps(the_run(repo), "ep_rew_mean", tag="rollout")
    assert ["checkpoints/model-128.zip", "checkpoints/model-64.zip"] == sorted(the_run(repo).artifacts)

    model.learn(64, callback=callback)
    callback.close()

    assert [64] == steps(the_run(repo), "ep_rew_mean", tag="rollout")


def test_every_kind_of_value_of_the_logger_is_recorded(repo: Path) -> None:
    """
    Videos, figures, images and texts are objects; a key may have no slash or several; "aim" can be excluded.
    """
    import matplotlib.pyplot as plt

    callback = adapter.AimCallback(str(repo), **QUIET)
    callback.model = sb3_model()
    output = adapter.AimOutputFormat(callback)
    values: dict[str, Any] = {
        "reward": 1.5,
        "a/b/c": 2.5,
        "text": "hello",
        "video": logger.Video(torch.zeros(1, 2, 3, 16, 16, dtype=torch.uint8), fps=4),
        "image": logger.Image(torch.zeros(3, 4, 6), "CHW"),
        "batch": logger.Image(torch.zeros(2, 4, 6, 3), "NHWC"),
        "figure": logger.Figure(plt.figure(), close=True),
        "hidden": 1.0,
        "hparams": logger.HParam({"lr": 0.1}, {"reward": 0.0}),
    }
    output.write(values, {"hidden": ("aim",)}, step=3)
    output.close()
    callback.close()
    run = the_run(repo)

    assert {("reward", ()), ("b/c", (("tag", "a"),))} == metrics(run)
    assert ([(3, 1.5)], 0.1) == (points(run, "reward"), run["hparams", "lr"])
    assert {
        "text": Text,
        "video": Video,
        "image": Image,
        "batch": Image,
        "figure": Image,
    } == {
        name: type(sequence.values.values_list()[0])
        for name in ("text", "video", "image", "batch", "figure")
        for sequence in (
            run.get_text_sequence(name, {}),
            run.get_video_sequence(name, {}),
            run.get_image_sequence(name, {}),
        )
        if sequence is not None
    }
    assert (6, 4) == run.get_image_sequence("batch", {}).values.values_list()[0].size


def test_a_negative_interval_is_an_error() -> None:
    """
    Intervals are numbers of calls.
    """
    with pytest.raises(UsageError, match="model_save_freq"):
        adapter.AimCallback(model_save_freq=-1)
