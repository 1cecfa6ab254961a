"""Substitutes for the compiled operators of torchvision that Mask R-CNN needs, in torch and NumPy."""

import numpy as np
import torch
from torch import Tensor

from services.segmentation.engines.mask_rcnn.sampling import pool, taps


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression.

    Args:
        boxes: (n, 4) as left, top, right, bottom.
        scores: (n,).
        iou_threshold: IoU with a better box above which a box is dropped.

    Returns:
        Indices of the kept boxes, best first.
    """
    order = torch.sort(scores, descending=True, stable=True).indices
    left, top, right, bottom = boxes[order].detach().float().cpu().numpy().T
    area = (right - left) * (bottom - top)
    waiting = np.arange(len(area))
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        width = np.minimum(right[best], right[waiting]) - np.maximum(left[best], left[waiting])
        height = np.minimum(bottom[best], bottom[waiting]) - np.maximum(top[best], top[waiting])
        shared = width.clip(0) * height.clip(0)
        # Multiplied out, not divided: boxes without area overlap nothing.
        waiting = waiting[shared <= iou_threshold * (area[best] + area[waiting] - shared)]
    return order[torch.as_tensor(np.array(kept, np.int64), device=order.device)]


def roi_align(
    features: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """RoIAlign (He et al., "Mask R-CNN", 2017, section 3), as torchvision defines it.

    Args:
        features: (B, C, H, W).
        rois: (n, 5): index of the picture, then left, top, right, bottom, in picture pixels.
        spatial_scale: Scale of the features relative to the picture.
        pooled_height: Number of bins vertically.
        pooled_width: Number of bins horizontally.
        sampling_ratio: Samples per bin and axis, at least 1.
        aligned: Whether boxes are shifted by half a pixel first.

    Returns:
        (n, C, pooled_height, pooled_width).
    """
    if sampling_ratio < 1:
        raise NotImplementedError("the stand-in for roi_align needs a fixed number of samples")
    count, channels, (height, width) = len(rois), features.shape[1], features.shape[2:]
    left, top, right, bottom = (rois[:, 1:].float() * spatial_scale - (0.5 if aligned else 0.0)).unbind(1)
    roi_width, roi_height = right - left, bottom - top
    if not aligned:
        roi_width, roi_height = roi_width.clamp(min=1), roi_height.clamp(min=1)
    y = _sample_places(top, roi_height, pooled_height, sampling_ratio)
    x = _sample_places(left, roi_width, pooled_width, sampling_ratio)
    shape = (count, pooled_height, pooled_width, sampling_ratio, sampling_ratio)
    y = y[:, :, None, :, None].expand(shape).reshape(-1)
    x = x[:, None, :, None, :].expand(shape).reshape(-1)
    outside = (y < -1) | (y > height) | (x < -1) | (x > width)
    picture = rois[:, 0].long().repeat_interleave(pooled_height * pooled_width)
    pooled = pool(features.float(), picture, taps(y, x, height, width, outside), sampling_ratio**2)
    grid = pooled.view(count, pooled_height, pooled_width, channels)
    return grid.permute(0, 3, 1, 2).to(features.dtype)


def _sample_places(start: Tensor, length: Tensor, bins: int, samples: int) -> Tensor:
    """Return the positions of the samples of each bin along one axis, (n, bins, samples)."""
    steps = (torch.arange(bins * samples, device=start.device) + 0.5) / samples
    return (start[:, None] + steps * (length / bins)[:, None]).view(-1, bins, samples)


SUBSTITUTES = (nms, roi_align)
"""Named as torchvision's own."""
