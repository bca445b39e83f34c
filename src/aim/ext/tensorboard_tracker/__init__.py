"""
A path of Aim 3: a run that records what a program writes for TensorBoard, while it writes it.

    from aim.ext.tensorboard_tracker import Run

    run = Run(sync_tensorboard_log_dir="logs")
"""

from __future__ import annotations

from aim.ext.tensorboard_tracker.run import TensorBoardRun as Run

__all__ = ["Run"]
