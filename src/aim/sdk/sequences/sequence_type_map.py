"""
The class of each type of sequences, by the name of the type, at its path of Aim 3.
"""

from __future__ import annotations

from aim.sdk.metric import Metric
from aim.sdk.object_sequences import OBJECT_SEQUENCES
from aim.sdk.sequence import Sequence
from aim.sdk.sequences.log_sequences import LogRecords, Logs

CLASSES: tuple[type[Sequence], ...] = (Metric, *OBJECT_SEQUENCES, Logs, LogRecords)
SEQUENCE_TYPE_MAP: dict[str, type[Sequence]] = {kind.sequence_name(): kind for kind in CLASSES}
