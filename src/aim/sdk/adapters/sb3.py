"""
Stable-Baselines3: `model.learn(..., callback=AimCallback())`.

    records                           as
    train/loss of SB3's logger        loss, {"subset": "train"}; step = environment steps
    rollout/ep_rew_mean               ep_rew_mean, {"tag": "rollout"}; eval/mean_reward likewise, {"tag": "eval"}
    a/b/c, reward                     b/c, {"tag": "a"}; reward, {}
    videos, figures, images, texts    objects; HParam: params hparams
    the algorithm                     hparams: the arguments of its constructor

The logger of the model keeps its outputs: ours is one more. `reset_num_timesteps=False` continues the curves.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aim.core.errors import UsageError
from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.checkpoints import Checkpoints, record_model
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import OtherNameOptions
from aim.sdk.adapters.session.run_session import RunSession
from aim.sdk.adapters.session.steps import restart

if TYPE_CHECKING:
    from typing_extensions import Unpack

framework("stable_baselines3", "stable-baselines3", "aim.sb3")
callbacks: Any = framework("stable_baselines3.common.callbacks", "stable-baselines3", "aim.sb3")
logger: Any = framework("stable_baselines3.common.logger", "stable-baselines3", "aim.sb3")
SUBSETS = ("train", "valid")
MODEL_FILE = "model.zip"


class AimOutputFormat(logger.KVWriter):
    """
    An output of SB3's logger that records into the run of a callback.

    Args:
        holder: the callback, or a `Run`.
    """

    def __init__(self, holder: Any) -> None:
        self._holder = holder

    @property
    def _session(self) -> RunSession:
        session: RunSession = self._holder._session
        return session

    @hook
    def write(self, key_values: dict[str, Any], key_excluded: dict[str, Any], step: int = 0) -> None:
        """Record the values of a dump of the logger, apart from those that exclude the output "aim"."""
        for key, value in sorted(key_values.items()):
            if "aim" in (key_excluded.get(key) or ()):
                continue
            if isinstance(value, logger.HParam):
                self._session.set_params("hparams", dict(value.hparam_dict))
                continue
            name, context = parted_key(key)
            self._session.track({name: trackable(value)}, step=step, context=context)

    def close(self) -> None:
        """Do nothing: the run goes on."""


class AimCallback(RunHolder, callbacks.BaseCallback):
    """
    A callback of Stable-Baselines3 that records a training.

    Args:
        repo, experiment_name, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        verbose: as of SB3's callbacks.
        log_model: store the model at the end of `learn`.
        model_save_freq: store it each so many calls of the environment, too; 0: not.
        gradient_save_freq: record distributions of the gradients of the policy each so many calls; 0: not.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    def __init__(
        self,
        repo: Any = None,
        experiment_name: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        verbose: int = 0,
        *,
        log_model: bool | str = False,
        model_save_freq: int = 0,
        gradient_save_freq: int = 0,
        **options: Unpack[OtherNameOptions],
    ) -> None:
        super().__init__(verbose)
        self._hold(
            "aim.sb3.AimCallback", repo, experiment_name, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        if model_save_freq < 0 or gradient_save_freq < 0:
            raise UsageError("model_save_freq and gradient_save_freq are numbers of calls, 0 or more.")
        self._checkpoints = Checkpoints(self._session, log_model or model_save_freq > 0)
        self._is_stored_at_end = bool(log_model)
        self._model_save_freq = model_save_freq
        self._gradient_save_freq = gradient_save_freq

    @hook
    def _init_callback(self) -> None:
        outputs = self.model.logger.output_formats
        if not any(isinstance(output, AimOutputFormat) for output in outputs):
            outputs.append(AimOutputFormat(self))
        self._session.set_params("hparams", algorithm_params(self.model))

    @hook
    def _on_training_start(self) -> None:
        done = int(self.model.num_timesteps)
        restart(self._session, done + 1 if done else 0)  # the first step is after the first call

    def _on_step(self) -> bool:
        self._after_step()
        return True

    @hook
    def _after_step(self) -> None:
        total = getattr(self.model, "_total_timesteps", 0)  # the last rollout may go beyond it
        progress.report(self._session, min(self.num_timesteps, total), total)
        if self._model_save_freq and self.n_calls % self._model_save_freq == 0:
            name = f"model-{self.num_timesteps}.zip"
            record_model(self._checkpoints, self.model.save, name, step=int(self.num_timesteps))
        if self._gradient_save_freq and self.n_calls % self._gradient_save_freq == 0:
            self._record_gradients()

    def _record_gradients(self) -> None:
        from aim.sdk.objects.distribution import Distribution

        for name, parameter in self.model.policy.named_parameters():
            if parameter.grad is not None:
                values = {name: Distribution(parameter.grad.detach().cpu().float().numpy())}
                self._session.track(values, step=int(self.num_timesteps), context={"type": "gradients"})

    @hook
    def _on_training_end(self) -> None:
        if self._is_stored_at_end:
            record_model(self._checkpoints, self.model.save, MODEL_FILE, step=int(self.num_timesteps))


def parted_key(key: str) -> tuple[str, dict[str, str]]:
    """
    Return the name and the context of a key of SB3's logger.

    >>> parted_key("train/loss"), parted_key("rollout/ep_rew_mean"), parted_key("reward")
    (('loss', {'subset': 'train'}), ('ep_rew_mean', {'tag': 'rollout'}), ('reward', {}))
    """
    tag, slash, name = key.partition("/")
    if not slash or not tag or not name:
        return key, {}
    return name, {"subset" if tag in SUBSETS else "tag": tag}


def trackable(value: Any) -> Any:
    """Return what `Run.track` takes for a value of SB3's logger."""
    from aim.sdk.objects.image import Image
    from aim.sdk.objects.text import Text
    from aim.sdk.objects.video import Video

    if isinstance(value, logger.Video):
        frames = value.frames[0].permute(0, 2, 3, 1)  # (batch, time, channel, height, width): the first of the batch
        return Video(frames.cpu().numpy(), fps=float(value.fps))
    if isinstance(value, logger.Figure):
        return Image(value.figure)
    if isinstance(value, logger.Image):
        return Image(channels_last(value.image, value.dataformats))
    return Text(value) if isinstance(value, str) else value


def channels_last(image: Any, axes: str) -> Any:
    """Return a picture as an array (height, width, channel) or (height, width); *axes* are such as `CHW`."""
    array = image.detach().cpu().numpy() if hasattr(image, "detach") else image
    letters = axes.upper()
    if "N" in letters:
        array, letters = array.take(0, letters.index("N")), letters.replace("N", "")
    return array.transpose([letters.index(letter) for letter in "HWC" if letter in letters])


def algorithm_params(model: Any) -> Mapping[str, Any]:
    """Return the arguments of the constructor of an algorithm, as far as the model remembers them."""
    params: dict[str, Any] = {"algo": type(model).__name__}
    for name in inspect.signature(type(model).__init__).parameters:
        if name not in ("self", "env", "_init_setup_model") and hasattr(model, name):
            value = getattr(model, name)
            params[name] = type(value).__name__ if name == "policy" else value
    environment: Any = getattr(model, "env", None)
    specs = environment.get_attr("spec") if hasattr(environment, "get_attr") else []
    if specs and specs[0] is not None:
        params["env"] = specs[0].id
    return params
