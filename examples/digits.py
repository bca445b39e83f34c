"""
Learn to read handwritten digits, five times, and ask Aim which learning rate was best.

    python examples/digits.py            train five networks, then print what a query finds
    python examples/digits.py --open     then open the pages in a browser

A real training, small enough to read: a network of one hidden layer, in numpy, learns the 1,797 digits of 8 × 8 pixels
that come with scikit-learn (E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI 1998).
Three quarters are learnt from; the others tell how well. Aim is used in `train()` and `report()`; the rest is the
network.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from aim import Image, Repo, Run

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEARNING_RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
HIDDEN_UNITS = 48
BATCH_IMAGES = 32
MOMENTUM = 0.9
VAL_SHARE = 0.25
SHOWN_MISTAKES = 12
PIXEL_MAX = 16.0  # the data set's white
QUERY = "run.hparams.lr > 0.01 and metric.name == 'loss' and metric.context.subset == 'val'"


@dataclass
class Split:
    """Images, shape (n, 64), from 0 to 1, and what they show, shape (n,)."""

    images: Floats
    labels: Ints


def digits(seed: int) -> tuple[Split, Split]:
    """Return the images to learn from and those to judge by, shuffled by *seed*."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    cut = int(len(labels) * VAL_SHARE)
    val, train = order[:cut], order[cut:]
    return Split(images[train] / PIXEL_MAX, labels[train]), Split(images[val] / PIXEL_MAX, labels[val])


class Network:
    """64 pixels, one hidden layer of rectified units, 10 probabilities; learns by gradient descent with momentum."""

    def __init__(self, hidden: int, rng: np.random.Generator) -> None:
        self.weights: list[Floats] = [
            rng.normal(0, np.sqrt(2 / 64), (64, hidden)),
            np.zeros(hidden),
            rng.normal(0, np.sqrt(2 / hidden), (hidden, 10)),
            np.zeros(10),
        ]
        self.velocity: list[Floats] = [np.zeros_like(weight) for weight in self.weights]

    def predict(self, images: Floats) -> tuple[Floats, Floats]:
        """Return the hidden layer, shape (n, hidden), and the probabilities, shape (n, 10)."""
        first, first_bias, second, second_bias = self.weights
        hidden = np.maximum(images @ first + first_bias, 0)
        scores = hidden @ second + second_bias
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return hidden, powers / powers.sum(axis=1, keepdims=True)

    def learn(self, images: Floats, labels: Ints, lr: float) -> tuple[float, float]:
        """Take one step down the gradient; give loss and accuracy as they were before it."""
        hidden, chances = self.predict(images)
        slope = chances.copy()
        slope[np.arange(len(labels)), labels] -= 1
        slope /= len(labels)
        hidden_slope = (slope @ self.weights[2].T) * (hidden > 0)
        gradients = [images.T @ hidden_slope, hidden_slope.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]
        for weight, velocity, gradient in zip(self.weights, self.velocity, gradients):
            velocity *= MOMENTUM
            velocity -= lr * gradient
            weight += velocity
        return judge(chances, labels)


def judge(chances: Floats, labels: Ints) -> tuple[float, float]:
    """Return the loss (mean cross-entropy, in nats) and the accuracy (0 to 1) of *chances*, shape (n, 10)."""
    right = chances[np.arange(len(labels)), labels]
    return float(-np.log(right + 1e-12).mean()), float((chances.argmax(axis=1) == labels).mean())


def batches(split: Split, rng: np.random.Generator) -> Iterator[tuple[Floats, Ints]]:
    """Return all of *split* once, in a new order."""
    order = rng.permutation(len(split.labels))
    for start in range(0, len(order), BATCH_IMAGES):
        chosen = order[start : start + BATCH_IMAGES]
        yield split.images[chosen], split.labels[chosen]


def mistakes(split: Split, chances: Floats) -> list[Image]:
    """Return the images that were taken for another digit, surest first, each with a caption that says which."""
    said = chances.argmax(axis=1)
    wrong = np.flatnonzero(said != split.labels)
    surest = wrong[np.argsort(-chances[wrong, said[wrong]])][:SHOWN_MISTAKES]
    return [
        Image(
            np.kron(split.images[index].reshape(8, 8), np.ones((8, 8))),  # each pixel 8 × 8, so that one sees it
            caption=f"{split.labels[index]}, taken for {said[index]} ({chances[index, said[index]]:.0%})",
        )
        for index in surest
    ]


def train(repo: Path, lr: float, epochs: int, seed: int) -> None:
    """Train one network and record all of it as one run in *repo*."""
    learn_from, judge_by = digits(seed)
    rng = np.random.default_rng(seed)
    network = Network(HIDDEN_UNITS, rng)

    with Run(repo=repo, experiment="digits") as run:
        run.name = f"digits, lr {lr:g}"
        run["hparams"] = {"lr": lr, "hidden": HIDDEN_UNITS, "batch": BATCH_IMAGES, "momentum": MOMENTUM, "seed": seed}
        run["data"] = {"train": len(learn_from.labels), "val": len(judge_by.labels)}
        step = 0
        for epoch in range(1, epochs + 1):
            for images, labels in batches(learn_from, rng):
                loss, accuracy = network.learn(images, labels, lr)
                run.track({"loss": loss, "accuracy": accuracy}, step=step, epoch=epoch, context={"subset": "train"})
                step += 1
            _, chances = network.predict(judge_by.images)
            loss, accuracy = judge(chances, judge_by.labels)
            run.track({"loss": loss, "accuracy": accuracy}, step=step, epoch=epoch, context={"subset": "val"})
            if wrong := mistakes(judge_by, chances):
                run.track(wrong, name="mistakes", step=step, epoch=epoch, context={"subset": "val"})
        print(f"  {run.hash}  lr {lr:<6g} val loss {loss:.3f}  accuracy {accuracy:.1%}")


def lowest_losses(repo: Repo) -> Iterator[tuple[float, int, int, Run]]:
    """Ask for the curves, and give of each its lowest value, the step of that, its count of points, and its run."""
    for metric in repo.query_metrics(QUERY):
        steps, values = metric.values.sparse_numpy()
        best = int(np.nanargmin(values))
        yield float(values[best]), int(steps[best]), len(values), metric.run


def report(path: Path) -> None:
    """Ask the repository what was recorded, and print it."""
    repo = Repo(str(path))
    with tempfile.TemporaryDirectory() as empty:  # loads what reading needs, and reads nothing
        list(Repo(empty, init=True).query_metrics())
    took_ms = []
    for _ in ("the first time", "again"):
        begin = time.perf_counter()
        found = sorted(lowest_losses(repo), key=lambda row: row[0])
        took_ms.append((time.perf_counter() - begin) * 1000)

    print(f"\nrepo.query_metrics({QUERY!r})")
    print(
        f"finds {len(found)} curves in {took_ms[0]:.0f} ms, and in {took_ms[1]:.1f} ms when asked again; the lowest:\n"
    )
    print(f"  {'run':24}  {'lr':>6}  {'lowest val loss':>15}  {'at step':>8}  {'points':>6}")
    for loss, step, points, run in found[:5]:
        print(f"  {run.hash:24}  {run['hparams', 'lr']:>6g}  {loss:>15.4f}  {step:>8,}  {points:>6}")

    shown = [images for images in repo.query_images("images.name == 'mistakes'") if images.run.hash == found[0][3].hash]
    if shown:
        step, wrong = shown[0].values.last()
        print(f"\nThe best of them, at step {step:,}, is surest of these mistakes:")
        for image in wrong[:3]:
            print(f"  {image.caption}")


def files(path: Path) -> None:
    """Print where it all lies, and how large it is."""
    every = [file for file in (path / ".aim").rglob("*") if file.is_file()]
    size_kb = sum(file.stat().st_size for file in every) / 1000
    print(f"\nAll of it is in {path / '.aim'}: {len(every)} files, {size_kb:,.0f} kB; a run is a folder of it.")


def main() -> None:
    """Train, report, and open the pages if that is wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--repo", type=Path, default=Path("demo"), help="the folder that gets the .aim folder [demo]")
    parser.add_argument("--epochs", type=int, default=25, help="how often each image is learnt from [25]")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and of the order of the images [0]")
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty() and "CI" not in os.environ,
        help="serve the pages afterwards [where a person looks]",
    )
    parser.add_argument("--part", choices=("train", "open"), help="do only this [both, one after the other]")
    options = parser.parse_args()

    show = [os.path.relpath(Path(sys.executable).with_name("aim")), "up", "--repo", str(options.repo)]
    if options.part != "open":
        print(f"Training a network on handwritten digits with {len(LEARNING_RATES)} learning rates:\n")
        options.repo.mkdir(parents=True, exist_ok=True)
        for lr in LEARNING_RATES:
            train(options.repo, lr, options.epochs, options.seed)
        report(options.repo)
        files(options.repo)
        best = [show[0], "runs", "ls", "--repo", str(options.repo), "--sort", "'loss[subset=val].min'"]
        best += ["--columns", "'hash,hparams.lr,loss[subset=val].min,loss[subset=val].argmin'", "--format", "table"]
        print(f"\nThe runs in a table:  {' '.join(best)}")
        print(f"Their curves:         {' '.join(show)}")
    if options.open and options.part != "train":
        print("The pages are started now; Ctrl C ends them.\n", flush=True)
        os.execv(show[0], show)  # in the place of this process: what ends the one ends the other


if __name__ == "__main__":
    main()
