"""
The environment variables that callers of Aim 3 know.

Only the first has a meaning here: recording never waits for the disk, so no thread has to be asked for, and nothing
is indexed, so nothing has to be waited for.
"""

from __future__ import annotations

from aim.storage.store import folder_name as get_aim_repo_name

AIM_REPO_NAME = "__AIM_REPO_NAME__"
AIM_ENABLE_TRACKING_THREAD = "__AIM_ENABLE_TRACKING_THREAD__"
AIM_RUN_INDEXING_TIMEOUT = "__AIM_RUN_INDEXING_TIMEOUT_SECONDS__"

__all__ = ["AIM_ENABLE_TRACKING_THREAD", "AIM_REPO_NAME", "AIM_RUN_INDEXING_TIMEOUT", "get_aim_repo_name"]
