"""
What `aim.wandb` does with PyTorch.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import aim.wandb as wandb
from tests.adapters.readings import the_run

torch = pytest.importorskip("torch")


def test_a_watched_model_has_distributions(repo: Path) -> None:
    """
    `wandb.watch` records gradients and parameters until the run ends; settings of torch are params.
    """
    model = torch.nn.Linear(2, 1)
    with wandb.init(config={"dtype": torch.float32}) as run:
        wandb.watch(model, log="all", log_freq=1)
        model(torch.ones(1, 2)).sum().backward()
        run.log({"loss": torch.tensor(0.5), "image": wandb.Image(torch.zeros(3, 4, 6))})
    model(torch.ones(1, 2)).sum().backward()
    recorded = the_run(repo)
    kinds = {info[1].to_dict()["type"] for info in recorded.iter_sequence_info_by_type("distributions")}

    assert {"gradients", "data"} == kinds
    assert ("torch.float32", [0.5]) == (recorded["dtype"], recorded.get_metric("loss").values.tolist())
    assert (6, 4) == recorded.get_image_sequence("image", {}).values.values_list()[0].size
