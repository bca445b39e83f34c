"""
From the name of a type of sequences to its class.
"""

from __future__ import annotations

from aim.sdk.image_sequence import Images
from aim.sdk.metric import Metric
from aim.sdk.sequence import Sequence
from aim.sdk.sequences.audio_sequence import Audios
from aim.sdk.sequences.distribution_sequence import Distributions
from aim.sdk.sequences.figure_sequence import Figures
from aim.sdk.sequences.log_sequences import LogRecords, Logs
from aim.sdk.sequences.table_sequence import Tables
from aim.sdk.sequences.text_sequence import Texts
from aim.sdk.sequences.video_sequence import Videos

SEQUENCE_TYPE_MAP: dict[str, type[Sequence]] = {
    "metric": Metric,
    "images": Images,
    "audios": Audios,
    "texts": Texts,
    "distributions": Distributions,
    "figures": Figures,
    "videos": Videos,
    "tables": Tables,
    "logs": Logs,
    "log_records": LogRecords,
}
