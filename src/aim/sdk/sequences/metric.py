"""`Metric` at its path of Aim 3; it is defined in `aim.sdk.metric`."""

from __future__ import annotations

from aim.sdk.metric import Metric as Metric
