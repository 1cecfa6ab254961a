"""Modules of the segment-anything package that depend on torch only.

`import segment_anything` also imports torchvision, which takes seconds and whose PyPI wheels do not load with a CPU
build of torch. Its `modeling` package does without torchvision and is loaded from its source files:
https://docs.python.org/3/library/importlib.html#importing-a-source-file-directly
"""

import importlib.util
import sys
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

DISTRIBUTION = "segment-anything"
NAME = "segment_anything_modeling"


def _load() -> ModuleType:
    folder = Path(str(distribution(DISTRIBUTION).locate_file("segment_anything/modeling")))
    spec = importlib.util.spec_from_file_location(
        NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{DISTRIBUTION} has no package {folder.name}", name=NAME)
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module


_modeling = _load()
ImageEncoderViT = _modeling.ImageEncoderViT
MaskDecoder = _modeling.MaskDecoder
PromptEncoder = _modeling.PromptEncoder
TwoWayTransformer = _modeling.TwoWayTransformer
