"""
What users import: runs, repositories, sequences, collections and the objects that a run can hold.

`Run` and `Repo` are here at once, so that each is complete whichever is imported first; the rest is imported when
named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.core.faces import lazy_face
from aim.sdk.repo import Repo as Repo
from aim.sdk.run import Run as Run

if TYPE_CHECKING:
    from aim.sdk.image_sequence import Images as Images
    from aim.sdk.metric import Metric as Metric
    from aim.sdk.objects.audio import Audio as Audio
    from aim.sdk.objects.distribution import Distribution as Distribution
    from aim.sdk.objects.figure import Figure as Figure
    from aim.sdk.objects.image import Image as Image
    from aim.sdk.objects.table import Table as Table
    from aim.sdk.objects.text import Text as Text
    from aim.sdk.objects.video import Video as Video
    from aim.sdk.sequence import Sequence as Sequence
    from aim.sdk.sequences.audio_sequence import Audios as Audios
    from aim.sdk.sequences.distribution_sequence import Distributions as Distributions
    from aim.sdk.sequences.figure_sequence import Figures as Figures
    from aim.sdk.sequences.table_sequence import Tables as Tables
    from aim.sdk.sequences.text_sequence import Texts as Texts
    from aim.sdk.sequences.video_sequence import Videos as Videos
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
    "Audios": "aim.sdk.sequences.audio_sequence",
    "Distribution": "aim.sdk.objects.distribution",
    "Distributions": "aim.sdk.sequences.distribution_sequence",
    "Figure": "aim.sdk.objects.figure",
    "Figures": "aim.sdk.sequences.figure_sequence",
    "Image": "aim.sdk.objects.image",
    "Images": "aim.sdk.image_sequence",
    "Metric": "aim.sdk.metric",
    "Sequence": "aim.sdk.sequence",
    "Table": "aim.sdk.objects.table",
    "Tables": "aim.sdk.sequences.table_sequence",
    "Text": "aim.sdk.objects.text",
    "Texts": "aim.sdk.sequences.text_sequence",
    "TrainingFlow": "aim.sdk.training_flow",
    "Video": "aim.sdk.objects.video",
    "Videos": "aim.sdk.sequences.video_sequence",
}

__getattr__, __dir__ = lazy_face(__name__, _DEFINED_IN)
