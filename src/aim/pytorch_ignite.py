"""
The adapter of PyTorch-Ignite under its short name: `from aim.pytorch_ignite import AimLogger`.
"""

from __future__ import annotations

from aim.sdk.adapters.pytorch_ignite import AimLogger as AimLogger
from aim.sdk.adapters.pytorch_ignite import GradsHistHandler as GradsHistHandler
from aim.sdk.adapters.pytorch_ignite import GradsScalarHandler as GradsScalarHandler
from aim.sdk.adapters.pytorch_ignite import OptimizerParamsHandler as OptimizerParamsHandler
from aim.sdk.adapters.pytorch_ignite import OutputHandler as OutputHandler
from aim.sdk.adapters.pytorch_ignite import WeightsHistHandler as WeightsHistHandler
from aim.sdk.adapters.pytorch_ignite import WeightsScalarHandler as WeightsScalarHandler
from aim.sdk.adapters.pytorch_ignite import global_step_from_engine as global_step_from_engine
