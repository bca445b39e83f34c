"""
`aim.sdk.utils`, as callers of Aim 3 import it; see `repo_paths`, `value_types` and `configs`.
"""

from __future__ import annotations

from aim.sdk.configs import get_aim_repo_name as get_aim_repo_name
from aim.sdk.repo_paths import clean_repo_path as clean_repo_path
from aim.sdk.repo_paths import search_aim_repo as search_aim_repo
from aim.sdk.repo_paths import work_directory as work_directory
from aim.sdk.value_types import check_types_compatibility as check_types_compatibility
from aim.sdk.value_types import get_object_typename as get_object_typename
from aim.storage.disk.layout import new_run_hash as generate_run_hash

__all__ = [
    "check_types_compatibility",
    "clean_repo_path",
    "generate_run_hash",
    "get_aim_repo_name",
    "get_object_typename",
    "search_aim_repo",
    "work_directory",
]
