"""
The environment variables of Aim 3.

Only the first has an effect: recording never waits for the disk, so it needs no tracking thread, and runs are not
indexed, so there is no timeout.
"""

from __future__ import annotations

from aim.storage.store import folder_name as get_aim_repo_name

AIM_REPO_NAME = "__AIM_REPO_NAME__"
AIM_ENABLE_TRACKING_THREAD = "__AIM_ENABLE_TRACKING_THREAD__"
AIM_RUN_INDEXING_TIMEOUT = "__AIM_RUN_INDEXING_TIMEOUT_SECONDS__"

__all__ = ["AIM_ENABLE_TRACKING_THREAD", "AIM_REPO_NAME", "AIM_RUN_INDEXING_TIMEOUT", "get_aim_repo_name"]
