"""
What an adapter costs a training: the time of a step with our logger, with TensorBoard's, and with none.

    .venv-adapters/bin/python -m bench adapters

Each variant trains the same small model in a process of its own, in turn, several times; the smallest value counts.
Measured is the time of the processor in the second half of the steps, all threads of the training together, which feels
other programs less than the clock does. In the first half a run begins: it notes packages, git and hardware once, in
the background, some 0.1 s. `empty` is a logger that does nothing: what the framework itself does for any logger. A
small model makes the cost of a logger large: of a real step it is less. All loggers record each step, which is the
worst case.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import store

VARIANTS = ("none", "empty", "aim", "tensorboard")
STEPS = 1200

LIGHTNING = """
import sys, time, torch
import lightning.pytorch as pl
variant, folder, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
if variant == "aim":
    from aim.pytorch_lightning import AimLogger
    logger = AimLogger(folder)
elif variant == "tensorboard":
    from lightning.pytorch.loggers import TensorBoardLogger
    logger = TensorBoardLogger(folder)
elif variant == "empty":
    from lightning.pytorch.loggers.logger import DummyLogger as Base
    class Empty(Base):
        def log_metrics(self, *_, **__):
            pass
    logger = Empty()
else:
    logger = False

class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1))
        self.times = []
    def training_step(self, batch, index):
        loss = self.layers(batch[0]).pow(2).mean()
        self.log("train_loss", loss)
        self.log("train_mean", loss * 2)
        return loss
    def on_train_batch_end(self, *_):
        self.times.append(time.process_time())
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

torch.set_num_threads(1)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(steps * 32, 64)), batch_size=32)
net = Net()
pl.Trainer(max_epochs=1, logger=logger, log_every_n_steps=1, accelerator="cpu", enable_progress_bar=False,
           enable_model_summary=False, enable_checkpointing=False).fit(net, data)
half = len(net.times) // 2
taken = (net.times[-1] - net.times[half]) / (len(net.times) - 1 - half)
print("RESULT", taken)
"""
TRANSFORMERS = """
import sys, time, torch, transformers
variant, folder, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
callbacks = []
if variant == "aim":
    from aim.hugging_face import AimCallback
    callbacks = [AimCallback(folder)]
elif variant == "tensorboard":
    from transformers.integrations import TensorBoardCallback
    callbacks = [TensorBoardCallback]
elif variant == "empty":
    callbacks = [transformers.TrainerCallback()]
times = []
class Clock(transformers.TrainerCallback):
    def on_step_begin(self, *_, **__):
        times.append(time.process_time())
torch.set_num_threads(1)
config = transformers.BertConfig(vocab_size=64, hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
                                 intermediate_size=64)
rows = [{"input_ids": [1, 2, 3, 4] * 8, "labels": index % 2} for index in range(steps * 4)]
arguments = transformers.TrainingArguments(
    output_dir=folder, num_train_epochs=1, per_device_train_batch_size=4, logging_steps=1, save_strategy="no",
    report_to="none", disable_tqdm=True, use_cpu=True)
trainer = transformers.Trainer(model=transformers.BertForSequenceClassification(config), args=arguments,
                               train_dataset=rows, callbacks=[*callbacks, Clock()])
trainer.remove_callback(transformers.PrinterCallback)
trainer.train()
half = len(times) // 2
taken = (times[-1] - times[half]) / (len(times) - 1 - half)
print("RESULT", taken)
"""
PROGRAMS = {"lightning": LIGHTNING, "transformers": TRANSFORMERS}


def step_s(program: str, variant: str, steps: int) -> float:
    """Return the processor time of a step of one training, its threads included."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-W", "ignore", "-c", program, variant, folder, str(steps)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    return float(line.split()[1])


def main(words: list[str]) -> None:
    """Measure all variants of both frameworks, and store the result."""
    parser = argparse.ArgumentParser(prog="python -m bench adapters")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(words)
    if not (Path(sys.prefix) / "bin/accelerate").exists():
        print(
            "The frameworks are in .venv-adapters: scripts/setup adapters, .venv-adapters/bin/python -m bench adapters"
        )
        return
    results = {}
    for name, program in PROGRAMS.items():
        times: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        for _ in range(options.repeats):
            for variant in VARIANTS:
                times[variant].append(step_s(program, variant, options.steps))
        best = {variant: min(values) for variant, values in times.items()}
        slowdown = {variant: 100 * (best[variant] / best["none"] - 1) for variant in VARIANTS[1:]}
        own = {variant: 100 * (best[variant] - best["empty"]) / best["none"] for variant in VARIANTS[2:]}
        results[name] = {
            "step_ms": {variant: round(value * 1e3, 4) for variant, value in best.items()},
            "slowdown_percent": {variant: round(value, 2) for variant, value in slowdown.items()},
            "slowdown_without_framework_percent": {variant: round(value, 2) for variant, value in own.items()},
        }
        print(name, json.dumps(results[name]))
    store("adapters", {"repeats": options.repeats, "steps": options.steps, "frameworks": results})
