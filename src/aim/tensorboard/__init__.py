"""
Programs that write for TensorBoard: `patch()` records what their writers write, `SummaryWriter` is a writer of ours.

`aim.ext.tensorboard_tracker.Run` follows the files of programs that can't be changed.
"""

from __future__ import annotations

from aim.tensorboard.patching import TensorBoardPatch as TensorBoardPatch
from aim.tensorboard.patching import patch as patch
from aim.tensorboard.writer import SummaryWriter as SummaryWriter
