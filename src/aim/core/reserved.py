"""
The names under which Aim itself records, beside those of a training.
"""

from __future__ import annotations

SYSTEM_PARAMS = "__system_params"
"""The first key of the params that describe a run's environment: packages, code, command line, hardware."""

IMPORTED_PARAMS = "imported"
"""The first key of the params that say where a run was imported from."""

SYSTEM_PREFIX = "__system__"
"""How the names of the metrics of the machine begin."""
