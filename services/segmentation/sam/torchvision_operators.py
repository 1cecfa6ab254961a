"""Lets torchvision, which segment-anything imports, be imported beside a torch it was not compiled for.

The wheels of torchvision on the package index are linked against CUDA; beside a CPU build of torch their compiled
library does not load, and then the import fails where it describes the operator `torchvision::nms`.
"""

import importlib.util
from pathlib import Path

import torch

_library: torch.library.Library | None = None  # operators live as long as this does


def ensure_torchvision_operators() -> None:
    """Define the operators that the import of torchvision asks for, unless its own library loads.

    None of them is called by what is imported from segment-anything here (prompt encoder and mask decoder), so they
    are defined without an implementation: calling one raises NotImplementedError.
    """
    global _library
    if _library is not None or _compiled_library_loads():
        return
    _library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        _library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]


def _compiled_library_loads() -> bool:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for library in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return hasattr(torch.ops.torchvision, "nms")
    return False
