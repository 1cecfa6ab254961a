"""Mask R-CNN (He et al., 2017), in the two families of weights that users have."""

from pathlib import Path

import numpy as np
import structlog

from services.runtime.checkpoint import sha256_of
from services.runtime.device import Device
from services.segmentation.engine import Detector, Wanted

log = structlog.get_logger()


def load_mask_rcnn(path: Path, device: Device) -> Detector:
    """Load a detector and run it once; the kind of file decides which.

    Args:
        path: A .pth of torchvision's, or an .h5 of matterport's.
        device: Where, and how exactly, to run it.

    Raises:
        ValueError: The file is none of these, or is damaged; the text names the file and what was expected.
    """
    detector: Detector
    if path.suffix == ".h5":
        from services.segmentation.mask_rcnn.matterport_engine import MatterportMaskRcnn

        detector = MatterportMaskRcnn.load(path, device)
    else:
        from services.segmentation.mask_rcnn.torchvision_engine import TorchvisionMaskRcnn

        detector = TorchvisionMaskRcnn.load(path, device)
    detector.detect(np.zeros((64, 64, 3), np.uint8), Wanted(frozenset(), 0.5, 1))
    log.info("weights", file=str(path), model=detector.name, sha256=sha256_of(path), device=device.name)
    return detector
