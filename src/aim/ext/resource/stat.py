"""
Snapshots of system metrics under the name of Aim 3: `from aim.ext.resource.stat import Stat`.
"""

from __future__ import annotations

from aim.sdk.capture.snapshots import Stat as Stat
from aim.sdk.capture.snapshots import StatDict as StatDict
