"""
Aim: record a training run, ask about thousands of them, see their curves.

    from aim import Run

    run = Run(experiment="digits")
    run["hparams"] = {"lr": 0.01}
    run.track(0.5, name="loss", step=1, context={"subset": "train"})

This is a *face*: it defines nothing and hands on names from the modules that do. A name is imported when it is first
asked for (PEP 562), so that `import aim` costs nothing and a training process loads only what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.__about__ import VERSION as __version__
from aim.core.faces import lazy_face

if TYPE_CHECKING:
    from aim.ext.notebook.notebook import load_ipython_extension
    from aim.sdk.metric import Metric
    from aim.sdk.object_sequences import Audios, Distributions, Figures, Images, Objects3D, Tables, Texts, Videos
    from aim.sdk.objects.audio import Audio
    from aim.sdk.objects.distribution import Distribution
    from aim.sdk.objects.figure import Figure
    from aim.sdk.objects.image import Image
    from aim.sdk.objects.object3d import Object3D
    from aim.sdk.objects.table import Table
    from aim.sdk.objects.text import Text
    from aim.sdk.objects.video import Video
    from aim.sdk.repo import Repo
    from aim.sdk.run import Run
    from aim.sdk.training_flow import TrainingFlow

# Without __all__, `from aim import *` would bind submodules too: Aim 3 replaces the standard `logging` in that way.
__all__ = [
    "Audio",
    "Audios",
    "Distribution",
    "Distributions",
    "Figure",
    "Figures",
    "Image",
    "Images",
    "Metric",
    "Object3D",
    "Objects3D",
    "Repo",
    "Run",
    "Table",
    "Tables",
    "Text",
    "Texts",
    "TrainingFlow",
    "Video",
    "Videos",
    "__version__",
    "load_ipython_extension",
]

_DEFINED_IN = {
    "Audio": "aim.sdk.objects.audio",
    "Audios": "aim.sdk.object_sequences",
    "Distribution": "aim.sdk.objects.distribution",
    "Distributions": "aim.sdk.object_sequences",
    "Figure": "aim.sdk.objects.figure",
    "Figures": "aim.sdk.object_sequences",
    "Image": "aim.sdk.objects.image",
    "Images": "aim.sdk.object_sequences",
    "Metric": "aim.sdk.metric",
    "Object3D": "aim.sdk.objects.object3d",
    "Objects3D": "aim.sdk.object_sequences",
    "Repo": "aim.sdk.repo",
    "Run": "aim.sdk.run",
    "Table": "aim.sdk.objects.table",
    "Tables": "aim.sdk.object_sequences",
    "Text": "aim.sdk.objects.text",
    "Texts": "aim.sdk.object_sequences",
    "TrainingFlow": "aim.sdk.training_flow",
    "Video": "aim.sdk.objects.video",
    "Videos": "aim.sdk.object_sequences",
    "load_ipython_extension": "aim.ext.notebook.notebook",
}

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
