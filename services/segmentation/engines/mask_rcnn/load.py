"""Loading of Mask R-CNN, with weights from torchvision or matterport."""

from pathlib import Path

import numpy as np
import structlog

from common.models.device import Device
from common.models.weights import check_weights
from services.segmentation.engines.base import DetectionQuery, Detector

log = structlog.get_logger()


def load_mask_rcnn(path: Path, device: Device) -> Detector:
    """Load a detector and run it once.

    Args:
        path: A torchvision `.pth`, or a `.safetensors` converted from a matterport `.h5`.
        device: Device and precision.

    Raises:
        ValueError: The file is neither, or is damaged; the message names the file and what was expected.
    """
    sha256 = check_weights(path)
    detector: Detector
    if path.suffix == ".safetensors":
        from services.segmentation.engines.mask_rcnn.matterport_engine import MatterportMaskRcnn

        detector = MatterportMaskRcnn.load(path, device)
    else:
        from services.segmentation.engines.mask_rcnn.torchvision_engine import TorchvisionMaskRcnn

        detector = TorchvisionMaskRcnn.load(path, device)
    detector.detect(np.zeros((64, 64, 3), np.uint8), DetectionQuery(frozenset(), 0.5, 1))
    log.info("weights", file=str(path), model=detector.name, sha256=sha256, device=device.name)
    return detector
