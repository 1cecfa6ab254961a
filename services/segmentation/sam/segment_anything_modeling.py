"""The networks of the segment-anything package, without the rest of it.

Importing the package itself imports torchvision, which costs seconds and memory at every start, and whose wheels do not
load beside a CPU build of torch. Its `modeling` part needs torch alone, so only that is imported here.
"""

import importlib
import importlib.util
import sys
from types import ModuleType

PACKAGE = "segment_anything"


def _import_modeling() -> ModuleType:
    if PACKAGE in sys.modules:
        return importlib.import_module(f"{PACKAGE}.modeling")
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
    # A bare package of the same path stands in while its submodule is imported; later imports get the real one.
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{PACKAGE}.modeling")
    finally:
        del sys.modules[PACKAGE]


_modeling = _import_modeling()
ImageEncoderViT = _modeling.ImageEncoderViT
MaskDecoder = _modeling.MaskDecoder
PromptEncoder = _modeling.PromptEncoder
TwoWayTransformer = _modeling.TwoWayTransformer
