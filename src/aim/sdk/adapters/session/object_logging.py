"""
`log_image` and its sisters, as loggers of training frameworks have them: values by a key, several at a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aim.sdk.adapters.session.holder import RunHolder, hook


class ObjectLogger(RunHolder):
    """An adapter that records objects by methods of its own."""

    @hook
    def log_image(self, key: str, images: Any, step: int | None = None, caption: Any = None, **options: Any) -> None:
        """
        Record images.

        Args:
            key: the name of the sequence.
            images: an image, or a list of them: whatever `Image` takes.
            caption: a text, or a list of them, one for each image.
            options: for `Image`, such as quality.
        """
        from aim.sdk.objects.image import Image

        self._log_objects(key, images, step, lambda image, text: Image(image, caption=text, **options), caption)

    @hook
    def log_audio(self, key: str, audios: Any, step: int | None = None, caption: Any = None, **options: Any) -> None:
        """Record audio clips: whatever `Audio` takes; see `log_image`."""
        from aim.sdk.objects.audio import Audio

        self._log_objects(key, audios, step, lambda audio, text: Audio(audio, caption=text, **options), caption)

    @hook
    def log_video(self, key: str, videos: Any, step: int | None = None, caption: Any = None, **options: Any) -> None:
        """Record videos: whatever `Video` takes; see `log_image`."""
        from aim.sdk.objects.video import Video

        self._log_objects(key, videos, step, lambda video, text: Video(video, caption=text, **options), caption)

    @hook
    def log_text(self, key: str, texts: Any, step: int | None = None) -> None:
        """Record a text, or a list of texts."""
        from aim.sdk.objects.text import Text

        self._log_objects(key, texts, step, lambda text, _: Text(str(text)))

    @hook
    def log_figure(self, key: str, figures: Any, step: int | None = None) -> None:
        """Record figures of plotly or matplotlib."""
        from aim.sdk.objects.figure import Figure

        self._log_objects(key, figures, step, lambda figure, _: Figure(figure))

    @hook
    def log_table(
        self,
        key: str,
        columns: Sequence[str] | None = None,
        data: Any = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """
        Record a table.

        Args:
            columns: the names of the columns of *data*.
            data: rows, each a list of values.
            dataframe: a data frame, in place of *data*.
        """
        from aim.sdk.objects.table import Table

        table = Table(dataframe) if dataframe is not None else Table(data, columns)
        self._session.track({key: table}, step)

    def _log_objects(
        self, key: str, values: Any, step: int | None, make: Callable[[Any, Any], Any], captions: Any = None
    ) -> None:
        is_list = isinstance(values, (list, tuple))
        members = list(values) if is_list else [values]
        texts = list(captions) if isinstance(captions, (list, tuple)) else [captions or ""] * len(members)
        if len(texts) != len(members):
            raise ValueError(f"{key!r}: {len(texts)} captions for {len(members)} values.")
        objects = [make(member, text) for member, text in zip(members, texts)]
        self._session.track({key: objects if is_list else objects[0]}, step)
