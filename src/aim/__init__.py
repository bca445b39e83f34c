"""
Aim: record a training run, ask about thousands of them, see their curves.

    from aim import Run

    run = Run(experiment="digits")
    run["hparams"] = {"lr": 0.01}
    run.track(0.5, name="loss", step=1, context={"subset": "train"})

This is a *face*: it defines nothing and hands on names from the modules that do. A name is imported when it is first
asked for (PEP 562), so that `import aim` costs nothing and a training process loads only what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aim.__about__ import VERSION as __version__

if TYPE_CHECKING:
    from aim.sdk.image_sequence import Images
    from aim.sdk.metric import Metric
    from aim.sdk.objects.image import Image
    from aim.sdk.repo import Repo
    from aim.sdk.run import Run

# Without __all__, `from aim import *` would bind submodules too: Aim 3 replaces the standard `logging` in that way.
__all__ = [
    "Image",
    "Images",
    "Metric",
    "Repo",
    "Run",
    "__version__",
]

_DEFINED_IN = {
    "Image": "aim.sdk.objects.image",
    "Images": "aim.sdk.image_sequence",
    "Metric": "aim.sdk.metric",
    "Repo": "aim.sdk.repo",
    "Run": "aim.sdk.run",
}


def __getattr__(name: str) -> object:
    """Import *name* from the module that defines it, and keep it."""
    module = _DEFINED_IN.get(name)
    if module is None:
        raise AttributeError(f"module 'aim' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List what is here and what can be asked for."""
    return sorted({*globals(), *__all__})
