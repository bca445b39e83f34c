"""
What a model of transformers or torch is, as params.
"""

from __future__ import annotations

from typing import Any

from aim.core.configs import mapping_of


def model_params(model: Any) -> dict[str, dict[str, Any]]:
    """
    Return the params that describe a model.

    Returns:
        `model`: its configuration, where it has one; `model_info`: class, counts of parameters, type of numbers, and
        the configuration of PEFT.
    """
    described = {"model_info": _information(model)}
    stated: Any = getattr(model, "config", None)
    config = stated.to_dict() if hasattr(stated, "to_dict") else mapping_of(stated)
    if config is not None:
        labels = getattr(stated, "num_labels", None)
        described["model"] = {**config, **({} if labels is None else {"num_labels": labels})}
    generation: Any = getattr(model, "generation_config", None)
    if hasattr(generation, "to_diff_dict"):
        described["generation"] = generation.to_diff_dict()
    return described


def _information(model: Any) -> dict[str, Any]:
    parameters = list(model.parameters()) if hasattr(model, "parameters") else []
    information: dict[str, Any] = {
        "class": type(model).__name__,
        "num_parameters": sum(parameter.numel() for parameter in parameters),
        "trainable_parameters": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
    }
    if parameters:
        information["dtype"] = str(parameters[0].dtype).removeprefix("torch.")
    adapters = getattr(model, "peft_config", None)
    if isinstance(adapters, dict):
        information["peft"] = {
            name: config.to_dict() if hasattr(config, "to_dict") else config for name, config in adapters.items()
        }
    return information
