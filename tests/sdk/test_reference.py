"""
The surface of the early SDK reference: each of its classes, methods and parameters is here, with its defaults.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

NEEDED = inspect.Parameter.empty

# class -> member -> its parameters with their defaults, in the order of the reference. What stands behind `*` there
# is given by name only here too; what we add stands behind all of these.
METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "aim.sdk.repo.Repo": {
        "__init__": {"path": NEEDED, "*read_only": None, "*init": False},
        "collect_params_info": {},
        "collect_sequence_info": {"sequence_types": "metric"},
        "default_repo": {"init": False},
        "exists": {"path": NEEDED},
        "from_path": {"path": NEEDED, "read_only": None, "init": False},
        "get_run": {"run_hash": NEEDED},
        "iter_runs": {},
        "query_images": {"query": ""},
        "query_metrics": {"query": ""},
        "query_runs": {"query": "", "paginated": False, "offset": None},
        "rm": {"path": NEEDED},
    },
    "aim.sdk.run.Run": {
        "__init__": {
            "run_hash": None,
            "*repo": None,
            "*read_only": False,
            "*experiment": None,
            "*system_tracking_interval": 10,
        },
        "__delitem__": {"key": NEEDED},
        "__getitem__": {"key": NEEDED},
        "__setitem__": {"key": NEEDED, "val": NEEDED},
        "add_tag": {"value": NEEDED},
        "collect_sequence_info": {"sequence_types": "metric", "skip_last_value": False},
        "dataframe": {"include_props": True, "include_params": True},
        "get_image_sequence": {"name": NEEDED, "context": None},
        "get_metric": {"name": NEEDED, "context": None},
        "iter_metrics_info": {},
        "iter_sequence_info_by_type": {"dtypes": NEEDED},
        "metrics": {},
        "remove_tag": {"tag_id": None},
        "track": {"value": NEEDED, "name": None, "step": None, "epoch": None, "*context": None},
    },
    "aim.sdk.objects.image.Image": {"json": {}, "to_pil_image": {}},
    "aim.sdk.sequence.Sequence": {
        "__init__": {"name": NEEDED, "context": NEEDED, "run": NEEDED},
        "allowed_dtypes": {},
        "sequence_name": {},
    },
    "aim.sdk.metric.Metric": {
        "__init__": {"name": NEEDED, "context": NEEDED, "run": NEEDED},
        "dataframe": {"include_name": False, "include_context": False, "include_run": False, "only_last": False},
        "sequence_name": {},
    },
    "aim.sdk.image_sequence.Images": {
        "__init__": {"name": NEEDED, "context": NEEDED, "run": NEEDED},
        "first_step": {},
        "last_step": {},
        "record_length": {},
        "sequence_name": {},
    },
    "aim.sdk.sequence_collection.SequenceCollection": {"iter": {}, "iter_runs": {}},
    "aim.sdk.sequence_collection.SingleRunSequenceCollection": {
        "__init__": {"run": NEEDED, "seq_cls": "Sequence", "query": ""},
        "iter": {},
        "iter_runs": {},
    },
    "aim.sdk.sequence_collection.QuerySequenceCollection": {
        "__init__": {"repo": NEEDED, "seq_cls": "Sequence", "query": ""},
        "iter": {},
        "iter_runs": {},
    },
    "aim.sdk.sequence_collection.QueryRunSequenceCollection": {
        "__init__": {"repo": NEEDED, "seq_cls": "Sequence", "query": "", "paginated": False, "offset": None},
        "iter": {},
        "iter_runs": {},
    },
}
# What 3.29.1 added to the reference's signatures.
LATER: dict[str, dict[str, dict[str, Any]]] = {
    "aim.sdk.run.Run": {
        "__init__": {
            "run_hash": None,
            "*force_resume": False,
            "*log_system_params": False,
            "*capture_terminal_logs": True,
        },
        "get": {"key": NEEDED, "default": None, "strict": True, "resolve_objects": False},
        "set": {"key": NEEDED, "val": NEEDED, "strict": True},
        "close": {},
        "get_audio_sequence": {"name": NEEDED, "context": None},
        "get_text_sequence": {"name": NEEDED, "context": None},
        "get_distribution_sequence": {"name": NEEDED, "context": None},
        "get_figure_sequence": {"name": NEEDED, "context": None},
        "get_terminal_logs": {},
        "get_log_records": {},
        "log_info": {"msg": NEEDED},
        "log_warning": {"msg": NEEDED},
        "log_error": {"msg": NEEDED},
        "log_debug": {"msg": NEEDED},
        "report_progress": {"*expect_next_in": 0, "*block": False},
        "report_successful_finish": {"*block": True},
        "idx_to_ctx": {"idx": NEEDED},
    },
    "aim.sdk.repo.Repo": {
        "query_runs": {"query": "", "paginated": False, "offset": None, "report_mode": "PROGRESS_BAR"},
        "query_metrics": {"query": "", "report_mode": "PROGRESS_BAR"},
        "query_images": {"query": "", "report_mode": "PROGRESS_BAR"},
        "query_audios": {"query": "", "report_mode": "PROGRESS_BAR"},
        "query_texts": {"query": "", "report_mode": "PROGRESS_BAR"},
        "query_distributions": {"query": "", "report_mode": "PROGRESS_BAR"},
        "query_figure_objects": {"query": "", "report_mode": "PROGRESS_BAR"},
        "default_repo_path": {},
        "get_version": {"path": NEEDED},
        "check_repo_status": {"path": NEEDED},
        "is_remote_path": {"path": NEEDED},
        "list_all_runs": {},
        "list_active_runs": {},
        "list_corrupted_runs": {},
        "run_exists": {"run_hash": NEEDED},
        "total_runs_count": {},
        "available_sequence_types": {},
        "validate_sequence_types": {"sequence_types": NEEDED},
        "delete_run": {"run_hash": NEEDED},
        "delete_runs": {"run_hashes": NEEDED},
        "delete_experiment": {"exp_id": NEEDED},
        "copy_runs": {"run_hashes": NEEDED, "dest_repo": NEEDED},
        "move_runs": {"run_hashes": NEEDED, "dest_repo": NEEDED},
        "prune": {},
        "close": {},
    },
    "aim.sdk.objects.image.Image": {
        "__init__": {"image": NEEDED, "caption": "", "format": None, "quality": 90, "optimize": False}
    },
    "aim.sdk.sequence.Sequence": {"first_step": {}, "last_step": {}, "preload": {}},
    "aim.sdk.sequence_collection.SequenceCollection": {
        "dataframe": {
            "only_last": False,
            "include_run": True,
            "include_name": True,
            "include_context": True,
            "include_props": True,
            "include_params": True,
        }
    },
}
PROPERTIES = {
    "aim.sdk.run.Run": [
        *("archived", "created_at", "creation_time", "description", "end_time", "experiment", "finalized_at", "name"),
        *("tags", "active", "duration", "props", "repo", "meta_run_tree"),
    ],
    "aim.sdk.objects.image.Image": ["caption", "format", "height", "size", "width"],
    "aim.sdk.sequence.Sequence": ["epochs", "indices", "timestamps", "values", "data", "version"],
    "aim.sdk.repo.Repo": ["is_remote_repo"],
}
SETTABLE = {"archived", "description", "experiment", "name"}
CLASSMETHODS = ("default_repo", "exists", "from_path", "rm", "get_version", "is_remote_path", "check_repo_status")


def resolve(path: str) -> Any:
    """Return what *path* names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def cases(*tables: dict[str, dict[str, dict[str, Any]]]) -> list[tuple[str, str, dict[str, Any]]]:
    """List class, member and parameters of *tables*."""
    return [
        (path, name, given) for table in tables for path, members in table.items() for name, given in members.items()
    ]


@pytest.mark.parametrize(("path", "name", "expected"), cases(METHODS, LATER))
def test_a_method_takes_the_parameters_of_the_reference(path: str, name: str, expected: dict[str, Any]) -> None:
    """
    Its parameters are there in their order, with their defaults, and nothing more is needed.
    """
    parameters = dict(inspect.signature(getattr(resolve(path), name)).parameters)
    parameters.pop("self", None)
    wanted = {key.removeprefix("*"): default for key, default in expected.items()}
    found = {key: _shown(parameters[key].default) for key in wanted if key in parameters}
    by_name = {key for key, parameter in parameters.items() if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    positional = [key for key in expected if not key.startswith("*")]

    assert wanted == found
    assert positional == list(parameters)[: len(positional)]
    assert {key.removeprefix("*") for key in expected if key.startswith("*")} == by_name & set(wanted)
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    others = [parameter for key, parameter in parameters.items() if key not in wanted and parameter.kind not in free]
    assert all(parameter.default is not NEEDED for parameter in others)


def _shown(default: Any) -> Any:
    if inspect.isclass(default) and default is not NEEDED:
        return default.__name__
    return getattr(default, "name", default)


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in PROPERTIES.items() for name in names])
def test_a_property_of_the_reference_is_there_and_says_what_it_is(path: str, name: str) -> None:
    """
    It is a property with a docstring; those that people set have a setter.
    """
    found = getattr(resolve(path), name)

    assert isinstance(found, property)
    assert inspect.getdoc(found)
    if path == "aim.sdk.run.Run":
        assert (name in SETTABLE) == (found.fset is not None)


@pytest.mark.parametrize("path", sorted({*METHODS, *LATER}))
def test_each_class_and_method_of_the_reference_is_documented(path: str) -> None:
    """
    Classes and methods have docstrings of their own; of those that take something, parameters are explained.
    """
    found = resolve(path)
    silent = [name for name in METHODS.get(path, {}) if name != "__init__" and not inspect.getdoc(getattr(found, name))]

    assert inspect.getdoc(found)
    assert [] == silent


@pytest.mark.parametrize("name", CLASSMETHODS)
def test_repositories_are_opened_and_asked_about_by_the_class(name: str) -> None:
    """
    These methods of `Repo` are bound to the class.
    """
    assert inspect.ismethod(getattr(resolve("aim.sdk.repo.Repo"), name))


def test_collections_are_one_family() -> None:
    """
    Each collection is a `SequenceCollection`, which can't be made itself.
    """
    family = resolve("aim.sdk.sequence_collection.SequenceCollection")

    for name in ("SingleRunSequenceCollection", "QuerySequenceCollection", "QueryRunSequenceCollection"):
        assert issubclass(resolve(f"aim.sdk.sequence_collection.{name}"), family)
    with pytest.raises(TypeError):
        family()


# Where Aim 3.29.1 and the reference have a name; `docs/decisions/left-out.md` says which paths have no meaning here.
PATHS = """
aim: Run Repo Image Images Text Texts Audio Audios Distribution Distributions Figure Figures Metric
aim.sdk: TrainingFlow Run Repo Image Images Text Texts Audio Audios Distribution Distributions Figure Figures Metric
aim.sdk.repo: Repo RepoStatus
aim.sdk.run: Run BasicRun StructuredRunMixin
aim.sdk.types: QueryReportMode AimObject AimObjectKey AimObjectPath AimObjectPrimitive AimObjectArray AimObjectDict
aim.sdk.errors: RepoIntegrityError MissingRunError RunLockingError
aim.sdk.configs: AIM_ENABLE_TRACKING_THREAD AIM_REPO_NAME AIM_RUN_INDEXING_TIMEOUT get_aim_repo_name
aim.sdk.utils: search_aim_repo generate_run_hash clean_repo_path get_object_typename check_types_compatibility
aim.sdk.utils: work_directory get_aim_repo_name
aim.sdk.num_utils: is_number convert_to_py_number inst_has_typename is_pytorch_tensor is_tf_tensor
aim.sdk.num_utils: is_jax_device_array is_numpy_array is_numpy_number is_py_number
aim.sdk.sequence: Sequence MediaSequenceBase SequenceData SequenceV1Data SequenceV2Data
aim.sdk.metric: Metric
aim.sdk.image_sequence: Images
aim.sdk.sequences.metric: Metric
aim.sdk.sequences.image_sequence: Images
aim.sdk.sequences.audio_sequence: Audios
aim.sdk.sequences.distribution_sequence: Distributions
aim.sdk.sequences.figure_sequence: Figures
aim.sdk.sequences.text_sequence: Texts
aim.sdk.sequences.sequence_type_map: SEQUENCE_TYPE_MAP
aim.sdk.sequence_collection: SequenceCollection SingleRunSequenceCollection QuerySequenceCollection
aim.sdk.sequence_collection: QueryRunSequenceCollection
aim.sdk.objects: Image Text Audio Distribution Figure
aim.sdk.objects.image: Image convert_to_aim_image_list
aim.sdk.logging: LogRecord LogRecords
aim.sdk.data_version: DATA_VERSION
aim.utils: enable_safe_mode disable_safe_mode
aim.storage.context: Context
aim.storage.arrayview: ArrayView
aim.storage.types: AimObject AimObjectKey AimObjectPath
"""


@pytest.mark.parametrize("line", PATHS.split("\n")[1:-1])
def test_a_public_path_is_importable(line: str) -> None:
    """
    `from module import name` works for each name that callers know.
    """
    module, names = line.split(": ")

    assert [] == [name for name in names.split() if not hasattr(importlib.import_module(module), name)]
