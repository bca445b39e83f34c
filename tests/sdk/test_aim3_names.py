"""
Each public name of Aim 3.29.1 can be imported, or docs/decisions/left-out.md says what there is instead.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aim import Audio, Image, Text
from aim.cli import aim3
from aim.sdk.objects.io import wavfile
from aim.sdk.objects.plugins.dvc_metadata import DvcData

ROOT = Path(__file__).parents[2]
LEFT_OUT = (ROOT / "docs/decisions/left-out.md").read_text()
OBJECTS = "Image Images Text Texts Audio Audios Distribution Distributions Figure Figures Metric TrainingFlow"
NAMES = {
    "aim": f"Run Repo {OBJECTS} load_ipython_extension run_process",
    "aim.sdk": f"Run Repo {OBJECTS} load_ipython_extension",
    "aim.sdk.repo": "Repo RepoStatus ContainerConfig _get_tracking_queue",
    "aim.sdk.run": "Run BasicRun StructuredRunMixin",
    "aim.sdk.base_run": "BaseRun",
    "aim.sdk.maintenance_run": "MaintenanceRun",
    "aim.sdk.types": "QueryReportMode AimObject AimObjectKey AimObjectPath AimObjectPrimitive "
    "AimObjectArray AimObjectDict",
    "aim.sdk.errors": "RepoIntegrityError MissingRunError RunLockingError",
    "aim.sdk.configs": "AIM_ENABLE_TRACKING_THREAD AIM_REPO_NAME AIM_RUN_INDEXING_TIMEOUT get_aim_repo_name",
    "aim.sdk.utils": "search_aim_repo generate_run_hash clean_repo_path get_object_typename check_types_compatibility "
    "backup_run restore_run_backup prune work_directory get_aim_repo_name",
    "aim.sdk.num_utils": "is_number convert_to_py_number inst_has_typename is_pytorch_tensor is_tf_tensor "
    "is_jax_device_array is_numpy_array is_numpy_number is_py_number",
    "aim.sdk.sequence": "Sequence MediaSequenceBase SequenceData SequenceV1Data SequenceV2Data",
    "aim.sdk.metric": "Metric",
    "aim.sdk.image_sequence": "Images",
    "aim.sdk.sequences.metric": "Metric",
    "aim.sdk.sequences.image_sequence": "Images",
    "aim.sdk.sequences.audio_sequence": "Audios",
    "aim.sdk.sequences.distribution_sequence": "Distributions",
    "aim.sdk.sequences.figure_sequence": "Figures",
    "aim.sdk.sequences.text_sequence": "Texts",
    "aim.sdk.sequences.sequence_type_map": "SEQUENCE_TYPE_MAP",
    "aim.sdk.sequence_collection": "SequenceCollection SingleRunSequenceCollection QuerySequenceCollection "
    "QueryRunSequenceCollection",
    "aim.sdk.query_utils": "RunView MetricsView SequenceView ContextView",
    "aim.sdk.query_analyzer": "QueryExpressionTransformer",
    "aim.sdk.tracker": "RunTracker SequenceInfo STEP_HASH_FUNCTIONS",
    "aim.sdk.objects": "Image Text Audio Distribution Figure",
    "aim.sdk.objects.image": "Image convert_to_aim_image_list",
    "aim.sdk.objects.text": "Text",
    "aim.sdk.objects.audio": "Audio",
    "aim.sdk.objects.distribution": "Distribution",
    "aim.sdk.objects.figure": "Figure",
    "aim.sdk.objects.artifact": "Artifact",
    "aim.sdk.objects.io.wavfile": "read write",
    "aim.sdk.objects.plugins.deeplake_dataset": "DeeplakeDataset",
    "aim.sdk.objects.plugins.dvc_metadata": "DvcData",
    "aim.sdk.objects.plugins.hf_datasets_metadata": "HFDataset",
    "aim.sdk.objects.plugins.hub_dataset": "HubDataset",
    "aim.hf_dataset": "HFDataset",
    "aim.sdk.logging": "LogRecord LogRecords",
    "aim.sdk.callbacks": "Caller event",
    "aim.sdk.callbacks.events": "on",
    "aim.sdk.training_flow": "TrainingFlow",
    "aim.sdk.uri_service": "URIService",
    "aim.sdk.index_manager": "RepoIndexManager",
    "aim.sdk.run_status_manager": "RunStatusManager",
    "aim.sdk.run_status_watcher": "RunStatusWatcher",
    "aim.sdk.reporter": "RunStatusReporter ScheduledStatusReporter CheckIn",
    "aim.sdk.lock_manager": "LockManager SFRunLock",
    "aim.sdk.data_version": "DATA_VERSION",
    "aim.utils": "enable_safe_mode disable_safe_mode",
    "aim.ext.resource": "ResourceTracker DEFAULT_SYSTEM_TRACKING_INT AIM_RESOURCE_METRIC_PREFIX",
    "aim.ext.resource.tracker": "ResourceTracker",
    "aim.ext.resource.configs": "DEFAULT_SYSTEM_TRACKING_INT AIM_RESOURCE_METRIC_PREFIX",
    "aim.ext.resource.stat": "Stat",
    "aim.ext.resource.log": "LogLine Logs",
    "aim.ext.tensorboard_tracker": "Run",
    "aim.ext.notebook.notebook": "load_ipython_extension",
    "aim.ext.notifier": "",
    "aim.ext.transport": "",
    "aim.ext.sshfs": "",
    "aim.ext.cleanup": "AutoClean",
    "aim.ext.exception_resistant": "set_exception_callback",
    "aim.ext.task_queue": "",
    "aim.storage.context": "Context",
    "aim.storage.arrayview": "ArrayView",
    "aim.storage.treearrayview": "TreeArrayView",
    "aim.storage.treeview": "TreeView",
    "aim.storage.containertreeview": "",
    "aim.storage.inmemorytreeview": "",
    "aim.storage.treeviewproxy": "",
    "aim.storage.types": "AimObject AimObjectKey AimObjectPath BLOB SafeNone",
    "aim.storage.object": "CustomObject",
    "aim.storage.treeutils": "encode_tree decode_tree unfold_tree",
    "aim.storage.encoding": "",
    "aim.storage.hashing": "hash_auto",
    "aim.storage.query": "RestrictedPythonQuery syntax_error_check",
    "aim.storage.artifacts": "registry",
    "aim.storage.artifacts.s3_storage": "S3ArtifactStorage_clientconfig",
    "aim.storage.structured.db": "DB",
    "aim.storage.rockscontainer": "",
    "aim.storage.union": "",
    "aim.storage.container": "",
    "aim.storage.prefixview": "",
    "aim.storage.locking": "",
    "aim.pytorch_lightning": "AimLogger",
    "aim.hugging_face": "AimCallback",
    "aim.web.run": "app",
    "aim.web.api": "create_app",
    "aim.ext.transport.run": "app",
}


def says(name: str) -> bool:
    """Return whether the list of left-out names has *name*, by its path or, of storage, by its last word."""
    last = name.removeprefix("aim.storage.")
    return any(text in LEFT_OUT for text in (f"`{name}`", f"`{name}.", f"`{last}`", f"`{last} ", f"`{last} of"))


@pytest.mark.parametrize("module", NAMES)
def test_each_name_of_aim_3_is_here_or_is_said_to_be_left_out(module: str) -> None:
    """
    A module that can't be imported, and a name that a module lacks, stand in the list with what to use instead. An
    adapter whose framework is missing says what to install.
    """
    refusal = ""
    try:
        imported = importlib.import_module(module)
    except ModuleNotFoundError:
        imported = None
    except ImportError as error:  # of its class there may be two: other tests import everything anew
        refusal = f"{type(error).__name__}: {error}"
    if refusal:
        assert re.match(f"FrameworkMissing: {module} needs .*: pip install", refusal)
        return
    assert imported is not None or says(module)
    for name in NAMES[module].split():
        assert imported is None or hasattr(imported, name) or says(f"{module}.{name}") or says(name), name


def test_objects_tell_the_name_of_their_type() -> None:
    """
    `get_typename()` is what Aim 3 calls `AIM_NAME`, of the class and of an object.
    """
    assert "aim.image" == Image.get_typename()
    assert ("aim.text", "aim.audio") == (Text("a").get_typename(), Audio(np.zeros(8), rate=8000).get_typename())
    assert DvcData.AIM_NAME == DvcData.get_typename()


def test_wave_files_are_written_and_read_at_the_path_of_aim_3(tmp_path: Path) -> None:
    """
    `wavfile.write(file, rate, samples)` and `wavfile.read(file)` take a path or an open file, as scipy's do.
    """
    samples = np.array([[0, 1], [2, 3], [4, 5]], np.int16)
    wavfile.write(tmp_path / "a.wav", 8000, samples)
    rate, read = wavfile.read(io.BytesIO((tmp_path / "a.wav").read_bytes()))

    assert (8000, samples.tolist()) == (rate, read.tolist())
    assert 8000 == wavfile.read(str(tmp_path / "a.wav"))[0]


def test_the_watcher_says_what_there_is_instead(tmp_path: Path) -> None:
    """
    `aim-watcher` says what it is now, on standard error, and ends with 1 where there is no repository.
    """
    ended = subprocess.run(
        [sys.executable, "-c", "from aim.cli.aim3 import watcher; watcher()"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
        cwd=tmp_path,
    )

    assert (1, "") == (ended.returncode, ended.stdout)
    assert ended.stderr.startswith(aim3.WATCHER_TEXT + "\n")
    assert 'aim-watcher = "aim.cli.aim3:watcher"' in (ROOT / "pyproject.toml").read_text()
