"""
System metrics under the name of Aim 3: `from aim.ext.resource.tracker import ResourceTracker`.
"""

from __future__ import annotations

from aim.sdk.capture.resources import ResourceTracker as ResourceTracker
