"""
What users import: runs, repositories, sequences, collections and the objects that a run can hold.

Each name is imported when it is first used: a training that makes a `Run` pays for nothing that only reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.core.faces import lazy_face

if TYPE_CHECKING:
    from aim.sdk.metric import Metric as Metric
    from aim.sdk.object_sequences import Audios as Audios
    from aim.sdk.object_sequences import Distributions as Distributions
    from aim.sdk.object_sequences import Figures as Figures
    from aim.sdk.object_sequences import Images as Images
    from aim.sdk.object_sequences import Objects3D as Objects3D
    from aim.sdk.object_sequences import Tables as Tables
    from aim.sdk.object_sequences import Texts as Texts
    from aim.sdk.object_sequences import Videos as Videos
    from aim.sdk.objects.audio import Audio as Audio
    from aim.sdk.objects.distribution import Distribution as Distribution
    from aim.sdk.objects.figure import Figure as Figure
    from aim.sdk.objects.image import Image as Image
    from aim.sdk.objects.object3d import Object3D as Object3D
    from aim.sdk.objects.table import Table as Table
    from aim.sdk.objects.text import Text as Text
    from aim.sdk.objects.video import Video as Video
    from aim.sdk.repo import Repo as Repo
    from aim.sdk.run import Run as Run
    from aim.sdk.sequence import Sequence as Sequence
    from aim.sdk.training_flow import TrainingFlow as TrainingFlow

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
    "Sequence",
    "Table",
    "Tables",
    "Text",
    "Texts",
    "TrainingFlow",
    "Video",
    "Videos",
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
    "Sequence": "aim.sdk.sequence",
    "Table": "aim.sdk.objects.table",
    "Tables": "aim.sdk.object_sequences",
    "Text": "aim.sdk.objects.text",
    "Texts": "aim.sdk.object_sequences",
    "TrainingFlow": "aim.sdk.training_flow",
    "Video": "aim.sdk.objects.video",
    "Videos": "aim.sdk.object_sequences",
    "load_ipython_extension": "aim.ext.notebook.notebook",  # Aim 3 has it at both paths
}

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
