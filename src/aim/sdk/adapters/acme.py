"""
DeepMind's Acme had its last release in 2022, and needs packages that are no longer built: this module says so.
"""

from __future__ import annotations

from aim.sdk.adapters.session.frameworks import retired

raise retired("aim.acme", "dm-acme had its last release in 2022. Record with aim.Run: run.track(values, step=...).")
