"""The two libraries of the models that do not load everywhere, because of torchvision: all our import tricks.

torchvision's wheels are linked against one build of torch. Beside another, e.g. a CPU build, `import torchvision` fails
("operator torchvision::nms does not exist").

* Mask R-CNN is torchvision's: nms and roi_align are defined under the names that torchvision calls.
* `import segment_anything` imports torchvision for its transforms, which we do not use; its `modeling` package does
  without, and is loaded from its source files.

`tests/unit/segmentation/test_without_torchvision.py` fails as soon as either can go.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

SIGNATURES = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    # torchvision registers a fake kernel for this one at import; Mask R-CNN never calls it.
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width,"
    " int sampling_ratio, bool aligned) -> Tensor",
)
SAM = "segment_anything_modeling"
Operator = Callable[..., Tensor]

_library: torch.library.Library | None = None


def import_detection(substitutes: Iterable[Operator]) -> ModuleType:
    """Import torchvision.models.detection.

    Args:
        substitutes: The operators nms and roi_align, for where torchvision's compiled ones do not load.
    """
    if not _compiled_operators_load():
        _define(substitutes)
    detection = importlib.import_module("torchvision.models.detection")
    if _library is not None:
        # torchvision calls these before an operator. (The attribute torchvision.ops.roi_align is the function.)
        for name in ("torchvision.extension", "torchvision.ops.roi_align"):
            setattr(sys.modules[name], "_has_ops", lambda: True)  # noqa: B010 -- no module declares it
    return detection


def import_sam_modeling() -> ModuleType:
    """Import segment_anything.modeling alone.

    https://docs.python.org/3/library/importlib.html#importing-a-source-file-directly
    """
    if SAM in sys.modules:
        return sys.modules[SAM]
    folder = Path(str(distribution("segment-anything").locate_file("segment_anything/modeling")))
    spec = importlib.util.spec_from_file_location(SAM, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"segment-anything has no package {folder.name}", name=SAM)
    module = importlib.util.module_from_spec(spec)
    sys.modules[SAM] = module
    spec.loader.exec_module(module)
    return module


def _compiled_operators_load() -> bool:
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        return False  # "operator torchvision::nms does not exist"
    return _library is None


def _define(substitutes: Iterable[Operator]) -> None:
    global _library  # torch drops the definitions with the object
    if _library is not None:
        return
    _library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for signature in SIGNATURES:
        _library.define(signature)  # type: ignore[no-untyped-call]
    for operator in substitutes:
        for key in ("CPU", "CUDA"):
            _library.impl(operator.__name__, operator, key)  # type: ignore[no-untyped-call]
