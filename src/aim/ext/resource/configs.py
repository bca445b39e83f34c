"""
Constants of system metrics under the names of Aim 3.
"""

from __future__ import annotations

from aim.sdk.capture.resources import AIM_RESOURCE_METRIC_PREFIX as AIM_RESOURCE_METRIC_PREFIX
from aim.sdk.capture.resources import DEFAULT_SYSTEM_TRACKING_INT as DEFAULT_SYSTEM_TRACKING_INT
