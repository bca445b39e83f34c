"""
A `SummaryWriter` that writes into a run, for programs that leave TensorBoard: the import changes, the calls stay.

    tag        becomes the name, whole; SummaryWriter(split_tags=True): train/loss -> loss {"subset": "train"}
    add_scalars(tag, {name: value})    tag, {"series": name}
    add_hparams                        the param `hparams`, and its metrics
    add_graph                          the layers as text `model`

What Aim has nothing for (embeddings, meshes, layouts) is left out with one warning.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from typing import Any

from aim.core.errors import UsageError
from aim.sdk.adapters.session.holder import RunHolder, hook

AXES = {"CHW": (1, 2, 0), "HWC": (0, 1, 2), "NCHW": (0, 2, 3, 1), "NHWC": (0, 1, 2, 3)}

log = logging.getLogger("aim")


class SummaryWriter(RunHolder):
    """
    A drop-in for the SummaryWriter of torch and of tensorboardX that records into a run.

    Args:
        log_dir: recorded as the param `log_dir`; nothing is written there.
        comment, purge_step, max_queue, flush_secs, filename_suffix: of TensorBoard; purge_step rewinds the run.
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: as for `Run`.
        split_tags: make `loss` with `{"subset": "train"}` of the tag `train/loss`.
        options: see `AdapterOptions`, such as run= for an open run of yours.
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
        *,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        split_tags: bool = False,
        **options: Any,
    ) -> None:
        if split_tags:
            options["context_prefixes"] = "slash"
        self._hold(
            "aim.tensorboard.SummaryWriter", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._log_dir = str(log_dir or "")
        if self._log_dir:
            self._session.set_params("log_dir", self._log_dir)
        if purge_step is not None:
            self._session.rewind(purge_step - 1)

    def get_logdir(self) -> str:
        """Return the folder that was given."""
        return self._log_dir

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._session.close(raised[1])

    def flush(self) -> None:
        """Wait until everything recorded is on the disk."""
        self.experiment.flush()

    @hook
    def add_scalar(self, tag: str, scalar_value: Any, global_step: Any = None, *_: Any, **__: Any) -> None:
        """Record a number."""
        self._session.track({tag: scalar_value}, global_step)

    @hook
    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: Any = None, *_: Any, **__: Any
    ) -> None:
        """Record numbers of one name, told apart by the context `series`."""
        for series, value in tag_scalar_dict.items():
            self._session.track({main_tag: value}, global_step, context={"series": series})

    @hook
    def add_histogram(self, tag: str, values: Any, global_step: Any = None, *_: Any, **__: Any) -> None:
        """Record the distribution of values, over 64 bins."""
        from aim.sdk.objects.distribution import Distribution

        self._session.track({tag: Distribution(values)}, global_step)

    @hook
    def add_image(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: Any = None, dataformats: str = "CHW"
    ) -> None:
        """Record an image, of the axes *dataformats*: CHW, HWC or HW."""
        self._session.track({tag: _image(img_tensor, dataformats)}, global_step)

    @hook
    def add_images(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: Any = None, dataformats: str = "NCHW"
    ) -> None:
        """Record a batch of images, of the axes *dataformats*: NCHW or NHWC."""
        images = [_image(image, dataformats[1:]) for image in img_tensor]
        self._session.track({tag: images}, global_step)

    @hook
    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: Any = None
    ) -> None:
        """Record figures of matplotlib as images; *close* closes them."""
        from aim.sdk.objects.image import Image

        figures = list(figure) if isinstance(figure, (list, tuple)) else [figure]
        images = []
        for each in figures:
            file = io.BytesIO()
            each.savefig(file, format="png")
            images.append(Image(file.getvalue()))
            if close:
                each.clear()
        self._session.track({tag: images if len(images) > 1 else images[0]}, global_step)

    @hook
    def add_video(self, tag: str, vid_tensor: Any, global_step: Any = None, fps: float = 4, *_: Any) -> None:
        """Record videos of the shape (N, T, C, H, W)."""
        from aim.sdk.objects.video import Video

        films = [Video(_array(film).transpose(0, 2, 3, 1), fps=fps, format="gif") for film in vid_tensor]
        self._session.track({tag: films if len(films) > 1 else films[0]}, global_step)

    @hook
    def add_audio(self, tag: str, snd_tensor: Any, global_step: Any = None, sample_rate: int = 44100, *_: Any) -> None:
        """Record sound of samples from -1 to 1."""
        from aim.sdk.objects.audio import Audio

        self._session.track({tag: Audio(_array(snd_tensor).reshape(-1), rate=sample_rate)}, global_step)

    @hook
    def add_text(self, tag: str, text_string: str, global_step: Any = None, *_: Any) -> None:
        """Record a text."""
        from aim.sdk.objects.text import Text

        self._session.track({tag: Text(str(text_string))}, global_step)

    @hook
    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        *_: Any,
        global_step: Any = None,
        **__: Any,
    ) -> None:
        """Record params as `hparams`, and metrics."""
        self._session.set_params("hparams", dict(hparam_dict))
        self._session.track(dict(metric_dict), global_step)

    @hook
    def add_graph(self, model: Any, *_: Any, **__: Any) -> None:
        """Record the layers of a model as the text `model`."""
        self.add_text("model", str(model))

    @hook
    def add_pr_curve(
        self, tag: str, labels: Any, predictions: Any, global_step: Any = None, num_thresholds: int = 127, *_: Any
    ) -> None:
        """Record precision and recall at thresholds from 0 to 1, as a table."""
        import numpy as np

        from aim.sdk.objects.table import Table

        truth, scores = _array(labels).reshape(-1).astype(bool), _array(predictions).reshape(-1)
        rows = []
        for threshold in np.linspace(0.0, 1.0, num_thresholds):
            chosen = scores >= threshold
            hits = int((chosen & truth).sum())
            precision = hits / max(1, int(chosen.sum())) if chosen.any() else 1.0
            rows.append([float(threshold), precision, hits / max(1, int(truth.sum()))])
        self._session.track({tag: Table(rows, ["threshold", "precision", "recall"])}, global_step)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("add_"):
            raise AttributeError(f"A SummaryWriter has no attribute {name!r}.")
        return lambda *values, **options: self._session.failures.report(
            UsageError("Aim has no such object"), f"what {name}() writes"
        )


def _array(values: Any) -> Any:
    import numpy as np

    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _image(values: Any, axes: str) -> Any:
    from aim.sdk.objects.image import Image

    array = _array(values)
    return Image(array.transpose(AXES[axes]) if axes in AXES else array)
