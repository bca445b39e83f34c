"""Hugging Face's datasets under Aim 3's short name: `from aim.hf_dataset import HFDataset`."""

from __future__ import annotations

from aim.sdk.objects.plugins.hf_datasets_metadata import HFDataset as HFDataset
