"""
The adapter of hydra under its short name: `aim.hydra.AimJobCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.hydra import AimJobCallback as AimJobCallback
from aim.sdk.adapters.hydra import current_run as current_run
