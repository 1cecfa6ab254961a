"""Mask R-CNN engine with matterport's weights: from pictures in pixels to objects in pixels."""

from pathlib import Path

import cv2
import numpy as np
import torch

from common.imaging.codec import Pixels
from common.models.device import Device
from services.segmentation.engines.base import DetectionQuery, FoundObject
from services.segmentation.engines.mask_rcnn.coco import BY_DENSE_ID
from services.segmentation.engines.mask_rcnn.masks import MIN_SCORE, to_objects
from services.segmentation.engines.mask_rcnn.matterport import Detections, MaskRcnn
from services.segmentation.engines.mask_rcnn.matterport_checkpoint import load_matterport

SIDE = 1024
"""Side of the square that a picture is padded to, in pixels."""
SHORTER_SIDE = 800
"""Minimum shorter side after scaling, in pixels, as far as the longer side fits the square."""
MEAN = np.array([123.7, 116.8, 103.9], np.float32)


class MatterportMaskRcnn:
    """Mask R-CNN detector. Thread-safe: keeps no per-picture state.

    Args:
        name: Name in responses and records.
        model: Model in evaluation mode.
        device: Device and precision.
    """

    def __init__(self, name: str, model: MaskRcnn, device: Device) -> None:
        self.name = name
        self._device = device.name
        self._model = model.to(device.name)
        self._model.speed_up(torch.bfloat16 if device.bfloat16 else torch.float32)

    @classmethod
    def load(cls, path: Path, device: Device) -> "MatterportMaskRcnn":
        """Load a checkpoint.

        Raises:
            ValueError: The file is not such a checkpoint, or is damaged; the message names the file.
        """
        model, depth = load_matterport(path)
        return cls(f"mask_rcnn_r{depth}_matterport", model, device)

    @torch.inference_mode()
    def detect(self, picture: Pixels, query: DetectionQuery) -> list[FoundObject]:
        """See Detector."""
        height, width = picture.shape[:2]
        square, (top, left, bottom, right) = molded(picture)
        levels = self._model.features(torch.from_numpy(square).permute(2, 0, 1)[None].to(self._device))
        proposals = self._model.proposals(levels, SIDE)
        window = torch.tensor([top, left, bottom - 1, right - 1], dtype=torch.float32, device=self._device) / (SIDE - 1)
        found = self._model.detect(levels, proposals, SIDE, window, max(MIN_SCORE, query.min_score))
        names = [BY_DENSE_ID[number] for number in found.classes.tolist()]
        chosen = query.select(names, found.scores.tolist())
        if not chosen:
            return []
        best = Detections(found.boxes[chosen], found.classes[chosen], found.scores[chosen])
        masks = self._model.masks(levels, best, SIDE)
        # In the square, 1 is the centre of the last pixel and boxes end at pixel centres; in the picture, at edges.
        corners = best.boxes.cpu().numpy() * (SIDE - 1) + np.array([0, 0, 1, 1], np.float32)
        scale = np.array([height / (bottom - top), width / (right - left)] * 2, np.float32)
        boxes = ((corners - np.array([top, left] * 2, np.float32)) * scale)[:, [1, 0, 3, 2]]
        labels = [names[index] for index in chosen]
        return list(to_objects(labels, best.scores.tolist(), boxes, masks.cpu().numpy(), height, width))


def molded(picture: Pixels) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], tuple[int, int, int, int]]:
    """Scale a picture, centre it in the square on black, and subtract the mean colour.

    Args:
        picture: (H, W, 3).

    Returns:
        (1024, 1024, 3) float32, and the box of the picture in it: top, left, bottom, right, in pixels.
    """
    height, width = picture.shape[:2]
    scale = min(max(1.0, SHORTER_SIDE / min(height, width)), SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, size, interpolation=interpolation)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    square = np.zeros((SIDE, SIDE, 3), np.float32)
    square[top : top + size[1], left : left + size[0]] = scaled
    return square - MEAN, (top, left, top + size[1], left + size[0])
