"""Data modules of images from one flat group of settings."""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from diffstn.data.modules.distorted import DistortedData
from diffstn.data.modules.images import ImageData
from diffstn.data.modules.streamed import StreamedImages
from diffstn.data.modules.upright import UprightData
from diffstn.data.sources.source import ImageSource
from diffstn.errors import UserError


class FromSource:
    """Makes a data module and its image source of settings that stand side by side.

    So a yaml names a source and keeps `root` beside `batch_size`, and the command line says
    `data.root=…`:

        _target_: diffstn.data.modules.from_source.upright
        images:
          _target_: my_package.Birds
          _partial_: true
        root: null
        batch_size: 256

    The signatures say whose a setting is; one that both name goes to both. Called with `images`,
    the source without its settings, and the settings, it returns the data module.

    Args:
        module: class of the data module.

    Raises:
        UserError: when called, if neither takes a setting.
    """

    def __init__(self, module: type[ImageData]) -> None:
        self.module, self.kind = module, module.kind
        self.options = options(module)
        settings = inspect.Parameter("settings", inspect.Parameter.VAR_KEYWORD)
        self.__signature__ = inspect.Signature([*self.options.values(), settings])
        self.__annotations__ = {name: one.annotation for name, one in self.options.items()}

    def __call__(self, images: Callable[..., ImageSource], **settings: Any) -> ImageData:
        theirs = inspect.signature(images).parameters
        ours = self.options.keys() - {"images"}
        for name in settings:
            if name not in ours and name not in theirs:
                known = sorted({*ours, *theirs})
                near = get_close_matches(name, known) or known
                raise UserError(f"no setting 'data.{name}'; there is {', '.join(near)}")
        source = images(**{k: v for k, v in settings.items() if k in theirs})
        return self.module(source, **{k: v for k, v in settings.items() if k in ours})


def options(module: type) -> dict[str, inspect.Parameter]:
    """Keywords of a constructor, and of the next one in line where it passes keywords on."""
    found: dict[str, inspect.Parameter] = {}
    for base in inspect.getmro(module):
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        for one in parameters:
            if one.kind is not one.VAR_KEYWORD:
                found.setdefault(one.name, one.replace(kind=one.KEYWORD_ONLY))
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            break
    return found


upright = FromSource(UprightData)
"""Images as they are, in memory."""

distorted = FromSource(DistortedData)
"""Distorted images with their poses."""

streamed = FromSource(StreamedImages)
"""Images as they are, read while a model trains."""
