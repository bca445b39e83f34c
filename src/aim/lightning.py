"""Lightning's logger, named as its package is: `from aim.lightning import AimLogger`."""

from __future__ import annotations

from aim.sdk.adapters.pytorch_lightning import AimLogger as AimLogger
from aim.sdk.adapters.pytorch_lightning import Logger as Logger
from aim.sdk.adapters.pytorch_lightning import pl as pl
from aim.sdk.adapters.pytorch_lightning import rank_zero_experiment as rank_zero_experiment
from aim.sdk.adapters.pytorch_lightning import rank_zero_only as rank_zero_only
