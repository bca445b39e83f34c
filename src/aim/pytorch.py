"""Distributions of torch modules under their short name: `from aim.pytorch import track_params_dists`."""

from __future__ import annotations

from aim.sdk.adapters.pytorch import get_model_layers as get_model_layers
from aim.sdk.adapters.pytorch import get_pt_tensor as get_pt_tensor
from aim.sdk.adapters.pytorch import track_gradients_dists as track_gradients_dists
from aim.sdk.adapters.pytorch import track_params_dists as track_params_dists
from aim.sdk.adapters.pytorch import watch as watch
