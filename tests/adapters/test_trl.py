"""
A trainer of TRL with our callback: a random GPT-2 of two layers and its tokenizer, made here; nothing is downloaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.readings import QUIET, metrics, steps, the_run

datasets = pytest.importorskip("datasets")
tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")
trl = pytest.importorskip("trl")
adapter = pytest.importorskip("aim.hugging_face")
WORDS = ("<pad>", "<eos>", "<unk>", "say", "yes", "no", "please", "now")


def tokenizer() -> Any:
    """Return a tokenizer of eight words."""
    model = tokenizers.models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>")
    words = tokenizers.Tokenizer(model)
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def model() -> Any:
    """Return a random language model, the same each time."""
    transformers.set_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_positions=16, n_embd=16, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=1
    )
    return transformers.GPT2LMHeadModel(config)


def test_a_trainer_of_preferences_is_recorded(repo: Path) -> None:
    """
    DPO: the loss, the rewards under their own names, the evaluation with its subset, and the settings are in the run.
    """
    rows = [{"prompt": "say please", "chosen": " yes now", "rejected": " no now"}] * 8
    arguments = trl.DPOConfig(
        output_dir=str(repo / "out"), per_device_train_batch_size=2, num_train_epochs=1, logging_steps=1, beta=0.25,
        save_strategy="no", eval_strategy="epoch", report_to="none", disable_tqdm=True, use_cpu=True, bf16=False,
        gradient_checkpointing=False,
    )  # fmt: skip
    callback = adapter.AimCallback(repo, **QUIET)
    trl.DPOTrainer(
        model=model(), ref_model=model(), args=arguments, processing_class=tokenizer(),
        train_dataset=datasets.Dataset.from_list(rows), eval_dataset=datasets.Dataset.from_list(rows[:2]),
        callbacks=[callback],
    ).train()  # fmt: skip
    callback.close()
    run = the_run(repo)
    names = {name for name, _ in metrics(run)}

    assert [1, 2, 3, 4] == steps(run, "loss") == steps(run, "rewards/accuracies")
    assert [4] == steps(run, "loss", subset="eval") == steps(run, "rewards/accuracies", subset="eval")
    assert {"rewards/chosen", "rewards/margins", "learning_rate"} <= names
    assert (0.25, "GPT2LMHeadModel") == (run["hparams", "beta"], run["model_info", "class"])
    assert "finished" == run.status
