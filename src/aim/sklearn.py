"""
The adapter of scikit-learn under its short name: `aim.sklearn.autolog`.
"""

from __future__ import annotations

from aim.sdk.adapters.sklearn import autolog as autolog
from aim.sdk.adapters.sklearn import log_fit as log_fit
