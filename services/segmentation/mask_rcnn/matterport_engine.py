"""Mask R-CNN with matterport's weights as an engine: pictures in pixels in, objects in pixels out."""

from pathlib import Path

import cv2
import numpy as np
import torch

from services.runtime.device import Device
from services.runtime.image import Pixels
from services.segmentation.engine import FoundObject, Wanted
from services.segmentation.mask_rcnn.coco import BY_DENSE_ID
from services.segmentation.mask_rcnn.detection import LEAST_SCORE, to_objects
from services.segmentation.mask_rcnn.matterport import Detections, MaskRcnn
from services.segmentation.mask_rcnn.matterport_checkpoint import load_matterport

SIDE = 1024
"""The square that a picture is put into, in pixels."""
SHORTER_SIDE = 800
"""What a picture's shorter side is scaled up to, if it fits the square then."""
MEAN = np.array([123.7, 116.8, 103.9], np.float32)


class MatterportMaskRcnn:
    """The detector. Holds no state of any picture: safe to call from several threads.

    Args:
        name: As answers and records show it.
        model: In evaluation mode.
        device: Where, and how exactly, to run it.
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
            ValueError: The file is no such checkpoint, or is damaged; the text names the file.
        """
        model, depth = load_matterport(path)
        return cls(f"mask_rcnn_r{depth}_matterport", model, device)

    @torch.inference_mode()
    def detect(self, picture: Pixels, wanted: Wanted) -> list[FoundObject]:
        """See Detector."""
        height, width = picture.shape[:2]
        square, (top, left, bottom, right) = molded(picture)
        levels = self._model.features(torch.from_numpy(square).permute(2, 0, 1)[None].to(self._device))
        proposals = self._model.proposals(levels, SIDE)
        window = torch.tensor([top, left, bottom - 1, right - 1], dtype=torch.float32, device=self._device) / (SIDE - 1)
        found = self._model.detect(levels, proposals, SIDE, window, max(LEAST_SCORE, wanted.min_score))
        names = [BY_DENSE_ID[number] for number in found.classes.tolist()]
        chosen = wanted.among(names, found.scores.tolist())
        if not chosen:
            return []
        best = Detections(found.boxes[chosen], found.classes[chosen], found.scores[chosen])
        masks = self._model.masks(levels, best, SIDE)
        # In the square 1 is the centre of the last pixel, and a box ends there; in the picture it ends at its edge.
        corners = best.boxes.cpu().numpy() * (SIDE - 1) + np.array([0, 0, 1, 1], np.float32)
        scale = np.array([height / (bottom - top), width / (right - left)] * 2, np.float32)
        boxes = ((corners - np.array([top, left] * 2, np.float32)) * scale)[:, [1, 0, 3, 2]]
        labels = [names[index] for index in chosen]
        return list(to_objects(labels, best.scores.tolist(), boxes, masks.cpu().numpy(), height, width))


def molded(picture: Pixels) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], tuple[int, int, int, int]]:
    """Scale a picture into the middle of the square, black around it, and take the mean colour off.

    Args:
        picture: (H, W, 3).

    Returns:
        (1024, 1024, 3) float32, and where the picture lies in it: top, left, bottom, right in pixels.
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
