"""
Callers: langchain-community's own callback, and the exact calls that other packages make, without those packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import aim
from aim.storage.context import Context


class Tensor:
    """What a tensor of one element, or a picture of (h, w, channels), is to the tracker."""

    def __init__(self, value: float) -> None:
        self._value = value
        self.shape = ()

    def item(self) -> float:
        """Return the number."""
        return self._value


def test_accelerate(tmp_path: Path) -> None:
    """
    accelerate's `AimTracker`: init, store_init_configuration, log, log_images, finish.
    """
    from aim import Run

    writer = Run(repo=tmp_path / "logs", experiment="sweep")
    writer.name = "my_project"
    writer["hparams"] = {"lr": 0.1, "layers": [1, 2], "name": "resnet", "nested": {"a": None}}
    for step in range(3):
        values: dict[str, Any] = {"loss": Tensor(0.5), "accuracy": 0.25, "count": 3}
        for key, value in values.items():
            writer.track(value, name=key, step=step, context={"subset": "train"})
    for key, value in {"val": (np.zeros((8, 8, 3), np.uint8), "a caption"), "plain": np.ones((8, 8))}.items():
        picture, caption = value if isinstance(value, tuple) else (value, "")
        writer.track(aim.Image(picture, caption=caption), name=key, step=2)
    writer.close()

    (run,) = aim.Repo(tmp_path / "logs").iter_runs()
    assert ("my_project", "sweep", 0.1) == (run.name, run.experiment, run["hparams", "lr"])
    assert [0.5] * 3 == run.get_metric("loss", Context({"subset": "train"})).values.tolist()
    assert "a caption" == run.get_image_sequence("val").values.last_value().caption
    assert run.get_image_sequence("plain") is not None


LANGCHAIN = """
import sys
from langchain_community.callbacks import AimCallbackHandler
from langchain_community.llms.fake import FakeListLLM
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

handler = AimCallbackHandler(repo=sys.argv[1], experiment_name="chains", system_tracking_interval=None)
told = {"callbacks": [handler]}
model = FakeListLLM(responses=["an answer", "another"])
model.invoke("a prompt", config=told)
RunnableLambda(lambda given: {"output": given["input"] + "!"}).invoke({"input": "hello"}, config=told)

@tool
def twice(text: str) -> str:
    "Say it twice."
    return text * 2

twice.invoke("ab", config=told)
handler.flush_tracker(experiment_name="second", langchain_asset=model)
model.invoke("after", config=told)
handler.flush_tracker(reset=False, finish=True)
"""


def test_the_callback_of_langchain_community(tmp_path: Path) -> None:
    """
    The package itself records a model, a chain and a tool, and begins a second run.
    """
    environment = {**os.environ, "LANGSMITH_TRACING": "false"}
    # its own warnings are its own
    program = [sys.executable, "-W", "ignore", "-c", LANGCHAIN, str(tmp_path)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    second, first = (found.run for found in aim.Repo(tmp_path).query_runs().iter_runs())
    said = {text.name: text.values.last_value() for text in first.repo.query_texts(f"run.hash == '{first.hash}'")}

    assert ["finished", "finished"] == [first.status, second.status]
    assert ["chains", "second"] == [first.experiment, second.experiment]
    assert [["a prompt"], ["an answer"]] == [[text.data for text in said[f"on_llm_{end}"]] for end in ("start", "end")]
    assert ["hello", "hello!"] == [said[f"on_chain_{end}"].data for end in ("start", "end")]
    assert ["ab", "abab"] == [said[f"on_tool_{end}"].data for end in ("start", "end")]
    assert (["an answer", "another"], "fake-list") == (first["responses"], first["_type"])
    assert "langchain-community" in {name.replace("_", "-") for name in first["__system_params", "packages"]}


def test_the_calls_of_langchain_community(tmp_path: Path) -> None:
    """
    langchain-community's `AimCallbackHandler`: a run reopened by its hash, params of any kind, texts and lists of them.
    """
    options: dict[str, Any] = {"repo": str(tmp_path), "experiment": "chains"}
    first = aim.Run(**options, system_tracking_interval=10, log_system_params=True)
    run_hash = first.hash
    first.close()
    run = aim.Run(run_hash, repo=str(tmp_path), system_tracking_interval=10)
    arguments = {"model": "fake", "callbacks": [object()], "temperature": 0.7, "stop": None}
    for key, value in arguments.items():
        run.set(key, value, strict=False)
    resp = {"action": "on_llm_start", "llm_starts": 1, "step": 1}
    run.track([aim.Text("a prompt"), aim.Text("another")], name="on_llm_start", context=resp)
    run.track([aim.Text("an answer")], name="on_llm_end", context={"action": "on_llm_end", "ends": 1})
    run.track(aim.Text("a tool's input"), name="on_tool_start", context={"action": "on_tool_start"})
    run.track(aim.Text("Finished"), name="on_chain_end", context={})
    run.close()

    (found,) = aim.Repo(tmp_path).iter_runs()
    prompts = found.get_text_sequence("on_llm_start", Context(resp)).values.last_value()
    assert ["a prompt", "another"] == [text.data for text in prompts]
    assert ("fake", 0.7, None) == (found["model"], found["temperature"], found["stop"])
    assert "object" in found["callbacks"][0]
    assert "packages" in found["__system_params"]


def test_ray_tune(tmp_path: Path) -> None:
    """
    ray's `AimLoggerCallback`: `from aim.sdk import Repo, Run`, values of numpy, `track` by names only.
    """
    from aim.sdk import Repo, Run

    run = Run(repo=Repo.from_path(str(tmp_path), init=True), experiment="tune", system_tracking_interval=None)
    run["trial_id"] = "t1"
    run["trial_log_dir"] = str(tmp_path)
    run["hparams"] = {"lr": 0.1}
    for value in (np.float32(0.5), np.float64(0.25), np.int32(3), np.int64(4)):
        run.track(value=value, name=f"ray/{type(value).__name__}", epoch=1, step=7, context={})
    run.close()

    assert [7] == run.get_metric("ray/float32", Context({})).indices
    assert [4] == run.get_metric("ray/int64", Context({})).values.tolist()


def test_aimrun(tmp_path: Path) -> None:
    """
    The sync tool aimrun: terminal lines by `values.tolist()` and `.data`, points by `data.items()`.
    """
    with aim.Run(repo=tmp_path, system_tracking_interval=None) as run:
        sys.stdout.write("epoch 1\n")
        run.track(0.5, name="loss", step=3, epoch=1)
    reading = aim.Run(run_hash=run.hash, repo=str(tmp_path), read_only=True)
    logs = reading.get_terminal_logs()
    assert logs is not None

    assert ["epoch 1"] == [line.data for line in logs.values.tolist()]
    ((step, (value, epoch, _)),) = list(reading.get_metric("loss", Context({})).data.items())
    assert (3, 0.5, 1.0, False) == (step, value, epoch, reading.active)
    assert reading.duration >= 0
