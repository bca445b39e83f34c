"""
MXNet was retired in 2023 and does not run with today's numpy: this module says so.
"""

from __future__ import annotations

from aim.sdk.adapters.session.frameworks import retired

raise retired("aim.mxnet", "MXNet was retired in 2023. Record with aim.Run: run.track(value, name=..., step=...).")
