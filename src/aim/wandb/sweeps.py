"""
`wandb.sweep` and `wandb.agent`: a search that runs in this process, one run after the other.

    sweep_id = wandb.sweep({"method": "random", "parameters": {"lr": {"min": 0.001, "max": 0.1}}}, project="digits")
    wandb.agent(sweep_id, function=train, count=10)

    method      grid: every combination of `values`; random; bayes is random here, which is said once
    parameters  {"value": x}, {"values": [...], "probabilities": [...]}, {"min": a, "max": b} with a distribution,
                {"parameters": {...}} for nested ones

`wandb.init` within the function gets what was chosen as its config, above what the script sets there. The param
`wandb.sweep_id` of each run names the sweep. A function that raises ends its run as failed, and the search goes on.
Optuna searches better: `aim.optuna`.
"""

from __future__ import annotations

import itertools
import math
import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aim.core.errors import UsageError
from aim.core.shield import shielded
from aim.sdk.objects.once import warn_once
from aim.wandb.missing import is_strict, warn_of
from aim.wandb.session import SESSION

METHODS = ("grid", "random", "bayes")
Settings = Mapping[str, Any]
Draw = Callable[[Settings, random.Random], float]

_sweeps: dict[str, dict[str, Any]] = {}


def sweep(sweep: Settings, entity: str | None = None, project: str | None = None, prior_runs: Any = None) -> str:
    """
    Keep a search for `agent`, and return its id.

    Raises:
        UsageError: the method is none of grid, random and bayes, or there are no parameters.

    >>> len(sweep({"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}))
    8
    """
    method = sweep.get("method", "random")
    if method not in METHODS or not sweep.get("parameters"):
        raise UsageError(f"wandb.sweep: expected a method ({', '.join(METHODS)}) and parameters, got {dict(sweep)!r}.")
    if method == "bayes":
        warn_once("wandb.sweep bayes", "Aim: wandb.sweep: bayes is random here. aim.optuna records searches of Optuna.")
    sweep_id = secrets.token_hex(4)
    _sweeps[sweep_id] = {**sweep, "method": method, "project": project or sweep.get("project")}
    return sweep_id


def agent(
    sweep_id: str,
    function: Callable[[], object] | None = None,
    entity: str | None = None,
    project: str | None = None,
    count: int | None = None,
    forward_signals: bool | None = None,
) -> None:
    """
    Call *function* for each choice of a search.

    Args:
        sweep_id: what `sweep` returned, in this process.
        count: how often at most; a random search without it ends after 100 calls.

    Raises:
        UsageError: there is no such search in this process, or no function.
    """
    search = _sweeps.get(sweep_id.rpartition("/")[2])
    if search is None or function is None:
        raise UsageError(
            f"wandb.agent({sweep_id!r}): expected the id of a sweep of this process, and a function to call."
        )
    choices = grid(search["parameters"]) if search["method"] == "grid" else endless(search["parameters"])
    for chosen in itertools.islice(choices, count if count is not None or search["method"] == "grid" else 100):
        SESSION.choose(sweep_id, chosen, project or search["project"])
        failures: list[Exception] = []
        shielded(function, failures.append)
        for error in failures:
            warn_of("the function of wandb.agent", error)
        SESSION.end(1 if failures else None)
        SESSION.choose(None, {}, None)
        if failures and is_strict():
            raise failures[0]


def grid(parameters: Settings) -> Iterator[dict[str, Any]]:
    """
    Go through every combination of the values of parameters.

    Raises:
        UsageError: a parameter has a range in place of values.

    >>> [choice["a"] for choice in grid({"a": {"values": [1, 2]}, "b": {"value": 3}})]
    [1, 2]
    """
    names = list(parameters)
    for combination in itertools.product(*(_values(name, parameters[name]) for name in names)):
        yield dict(zip(names, combination))


def _values(name: str, settings: Settings) -> list[Any]:
    if "parameters" in settings:
        return list(grid(settings["parameters"]))
    if "value" in settings:
        return [settings["value"]]
    if "values" in settings:
        return list(settings["values"])
    if all(isinstance(settings.get(edge), int) for edge in ("min", "max")):
        return list(range(settings["min"], settings["max"] + 1))
    raise UsageError(f"wandb.sweep: the parameter {name!r} of a grid needs values, not {dict(settings)!r}.")


def endless(parameters: Settings, generator: random.Random | None = None) -> Iterator[dict[str, Any]]:
    """Draw values for parameters, without end."""
    generator = generator or random.Random()
    while True:
        yield {name: drawn(settings, generator) for name, settings in parameters.items()}


def drawn(settings: Settings, generator: random.Random) -> Any:
    """
    Draw one value of a parameter.

    Raises:
        UsageError: the distribution is none of W&B's that are known here.

    >>> 1 <= drawn({"min": 1, "max": 8}, random.Random(0)) <= 8
    True
    """
    if "parameters" in settings:
        return {name: drawn(inner, generator) for name, inner in settings["parameters"].items()}
    if "value" in settings:
        return settings["value"]
    if "values" in settings:
        return generator.choices(settings["values"], weights=settings.get("probabilities"))[0]
    name = settings.get("distribution")
    if name is None:
        is_whole = isinstance(settings["min"], int) and isinstance(settings["max"], int)
        name = "int_uniform" if is_whole else "uniform"
    if name == "int_uniform":
        return generator.randint(settings["min"], settings["max"])
    draw = _DRAWS.get(name.removeprefix("q_"))
    if draw is None:
        raise UsageError(f"wandb.sweep: there is no distribution {name!r}; there are {', '.join(sorted(_DRAWS))}.")
    value = draw(settings, generator)
    step = settings.get("q", 1) if name.startswith("q_") else None
    return value if step is None else round(value / step) * step


_DRAWS: dict[str, Draw] = {
    "uniform": lambda settings, generator: generator.uniform(settings["min"], settings["max"]),
    "log_uniform": lambda settings, generator: math.exp(generator.uniform(settings["min"], settings["max"])),
    "log_uniform_values": lambda settings, generator: math.exp(
        generator.uniform(math.log(settings["min"]), math.log(settings["max"]))
    ),
    "normal": lambda settings, generator: generator.gauss(settings.get("mu", 0), settings.get("sigma", 1)),
    "log_normal": lambda settings, generator: math.exp(
        generator.gauss(settings.get("mu", 0), settings.get("sigma", 1))
    ),
}
