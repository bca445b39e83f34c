"""
A script that was written for Weights & Biases, recorded by Aim: `import aim.wandb as wandb`, and nothing else changes.

    import aim.wandb as wandb

    run = wandb.init(project="digits", config={"lr": 0.1})
    for epoch in range(3):
        wandb.log({"epoch": epoch, "train/loss": 1 / (1 + epoch)})
    wandb.finish()

    here        its subject
    session     init, finish: the run that is going on
    options     the arguments of init, the environment
    open_run    wandb.run: artifacts, log, summary, watch
    history     log: a row becomes points
    media       Image, Audio, Video, Html, Histogram, Object3D
    tables      Table
    plots       wandb.plot
    artifacts   Artifact
    settings    wandb.config, run.summary
    sweeps      sweep, agent
    missing     what is not here: warned of once, and without effect

This is a *face*. `wandb.run`, `wandb.config` and `wandb.summary` are those of the run that is going on: they are looked
up at each use.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aim.core.errors import UsageError as UsageError
from aim.wandb import plots as plot
from aim.wandb.artifacts import WandbArtifact as Artifact
from aim.wandb.media import WandbAudio as Audio
from aim.wandb.media import WandbHistogram as Histogram
from aim.wandb.media import WandbHtml as Html
from aim.wandb.media import WandbImage as Image
from aim.wandb.media import WandbObject3D as Object3D
from aim.wandb.media import WandbPlotly as Plotly
from aim.wandb.media import WandbVideo as Video
from aim.wandb.missing import missing
from aim.wandb.open_run import AlertLevel as AlertLevel
from aim.wandb.open_run import WandbRun as Run
from aim.wandb.session import (
    SESSION,
    errors,
    finish,
    init,
    login,
    of_run,
    setup,
    teardown,
    tensorboard,
    termerror,
    termlog,
    termwarn,
    util,
)
from aim.wandb.settings import WandbConfig as Config
from aim.wandb.settings import WandbSummary as WandbSummary
from aim.wandb.sweeps import agent, sweep
from aim.wandb.tables import WandbTable as Table

__all__ = [
    "AlertLevel",
    "Artifact",
    "Audio",
    "Config",
    "Error",
    "Histogram",
    "Html",
    "Image",
    "Object3D",
    "Plotly",
    "Run",
    "Settings",
    "Table",
    "UsageError",
    "Video",
    "agent",
    "alert",
    "config",
    "define_metric",
    "errors",
    "finish",
    "init",
    "log",
    "log_artifact",
    "log_model",
    "login",
    "plot",
    "restore",
    "run",
    "save",
    "setup",
    "summary",
    "sweep",
    "teardown",
    "tensorboard",
    "termerror",
    "termlog",
    "termwarn",
    "unwatch",
    "use_artifact",
    "use_model",
    "util",
    "watch",
]

Error = UsageError
Settings = SimpleNamespace
alert = of_run("alert")
define_metric = of_run("define_metric")
log = of_run("log")
log_artifact = of_run("log_artifact")
log_model = of_run("log_model")
restore = of_run("restore")
save = of_run("save")
unwatch = of_run("unwatch")
use_artifact = of_run("use_artifact")
use_model = of_run("use_model")
watch = of_run("watch")

if TYPE_CHECKING:
    run: Run | None
    config: Config
    summary: WandbSummary


def __getattr__(name: str) -> Any:
    # these change with each `init`; the rest is not here
    if name in ("run", "config", "summary"):
        return getattr(SESSION, name)
    return missing(f"wandb.{name}")
