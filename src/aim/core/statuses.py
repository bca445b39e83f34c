"""
The statuses of a run.

    running     it is being recorded
    finished    it was closed, or its process ended without an error
    failed      its process ended with an error
    lost        it stopped without saying how: it was killed, or its host went down
"""

from __future__ import annotations

RUNNING, FINISHED, FAILED, LOST = STATUSES = ("running", "finished", "failed", "lost")
