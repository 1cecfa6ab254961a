"""Reference implementation of matterport's Mask R-CNN in plain NumPy, straight from the file.

Channels last, kernels as Keras stores them, float64, one loop per step of the graph; shares no code with our model.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = Mapping[str, Mapping[str, Array]]
STAGES = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def write_random(  # noqa: C901 -- one long list
    path: Path, depth: int, seed: int = 0
) -> Weights:
    """Write random weights as Keras does; return them as well."""
    random = np.random.default_rng(seed)
    layers: dict[str, dict[str, Array]] = {}

    def conv(
        name: str, size: int, inputs: int, outputs: int, bn: str | None = None, gamma: float = 1.0, gain: float = 1.0
    ) -> None:
        scale = gain * math.sqrt(2 / (size * size * inputs))
        layers[name] = {
            "kernel": random.standard_normal((size, size, inputs, outputs)) * scale,
            "bias": random.uniform(-0.1, 0.1, outputs),
        }
        if bn:
            layers[bn] = {
                "gamma": random.uniform(0.8, 1.2, outputs) * gamma,
                "beta": random.uniform(-0.2, 0.2, outputs),
                "moving_mean": random.uniform(-0.2, 0.2, outputs),
                "moving_variance": random.uniform(0.8, 1.2, outputs),
            }

    def dense(name: str, inputs: int, outputs: int, scale: float) -> None:
        layers[name] = {
            "kernel": random.standard_normal((inputs, outputs)) * scale / math.sqrt(inputs),
            "bias": random.uniform(-0.1, 0.1, outputs),
        }

    conv("conv1", 7, 3, 64, "bn_conv1")
    inputs = 64
    for stage, count in enumerate(STAGES[depth], start=2):
        width = 32 * 2 ** (stage - 1)
        for block in range(count):
            name = f"{stage}{chr(97 + block)}_branch"
            conv(f"res{name}2a", 1, inputs, width, f"bn{name}2a")
            conv(f"res{name}2b", 3, width, width, f"bn{name}2b")
            conv(f"res{name}2c", 1, width, 4 * width, f"bn{name}2c", gamma=0.2)
            if block == 0:
                conv(f"res{name}1", 1, inputs, 4 * width, f"bn{name}1")
            inputs = 4 * width
    for level, width in enumerate((256, 512, 1024, 2048), start=2):
        conv(f"fpn_c{level}p{level}", 1, width, 256)
        conv(f"fpn_p{level}", 3, 256, 256)
    conv("rpn_conv_shared", 3, 256, 512)
    conv("rpn_class_raw", 1, 512, 6, gain=0.05)
    conv("rpn_bbox_pred", 1, 512, 12, gain=0.2)
    conv("mrcnn_class_conv1", 7, 256, 1024, "mrcnn_class_bn1")
    conv("mrcnn_class_conv2", 1, 1024, 1024, "mrcnn_class_bn2")
    dense("mrcnn_class_logits", 1024, 81, 0.5)
    dense("mrcnn_bbox_fc", 1024, 324, 0.1)
    for number in range(1, 5):
        conv(f"mrcnn_mask_conv{number}", 3, 256, 256, f"mrcnn_mask_bn{number}")
    conv("mrcnn_mask_deconv", 2, 256, 256)
    conv("mrcnn_mask", 1, 256, 81)
    with h5py.File(path, "w") as file:
        for name, tensors in layers.items():
            group = f"rpn_model/{name}" if name.startswith("rpn_") else f"{name}/{name}"
            for part, values in tensors.items():
                file[f"{group}/{part}:0"] = values.astype(np.float32)
        file.create_group("input_image")  # Keras stores layers without weights as well
    return {
        name: {part: v.astype(np.float32).astype(np.float64) for part, v in tensors.items()}
        for name, tensors in layers.items()
    }


class Reference:
    """The inference graph, step by step."""

    def __init__(self, weights: Weights, depth: int) -> None:
        self.weights = weights
        self.depth = depth

    def conv(self, x: Array, name: str, stride: int = 1, *, same: bool = False) -> Array:
        kernel, bias = self.weights[name]["kernel"], self.weights[name]["bias"]
        size = kernel.shape[0]
        if same:
            x = np.pad(x, ((size // 2, size // 2), (size // 2, size // 2), (0, 0)))
        rows, columns = (x.shape[0] - size) // stride + 1, (x.shape[1] - size) // stride + 1
        out = np.zeros((rows, columns, kernel.shape[3])) + bias
        for i in range(size):
            for j in range(size):
                out += x[i : i + rows * stride : stride, j : j + columns * stride : stride] @ kernel[i, j]
        return out

    def norm(self, x: Array, name: str) -> Array:
        w = self.weights[name]
        return (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-3) * w["gamma"] + w["beta"]

    def block(self, x: Array, name: str, stride: int, *, first: bool) -> Array:
        hidden = np.maximum(self.norm(self.conv(x, f"res{name}2a", stride), f"bn{name}2a"), 0)
        hidden = np.maximum(self.norm(self.conv(hidden, f"res{name}2b", same=True), f"bn{name}2b"), 0)
        hidden = self.norm(self.conv(hidden, f"res{name}2c"), f"bn{name}2c")
        kept = self.norm(self.conv(x, f"res{name}1", stride), f"bn{name}1") if first else x
        return np.maximum(hidden + kept, 0)

    def pyramid(self, picture: Array) -> list[Array]:
        x = np.pad(picture, ((3, 3), (3, 3), (0, 0)))
        x = np.maximum(self.norm(self.conv(x, "conv1", 2), "bn_conv1"), 0)
        # 3x3 stride 2 "same" on an even side: windows start at 0, 2, 4, ...; the last one extends past the end.
        side = x.shape[0] // 2
        over = np.pad(x, ((0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
        x = np.max([over[i : i + 2 * side : 2, j : j + 2 * side : 2] for i in range(3) for j in range(3)], axis=0)
        stages = []
        for stage, count in enumerate(STAGES[self.depth], start=2):
            for block in range(count):
                first = block == 0
                x = self.block(x, f"{stage}{chr(97 + block)}_branch", 2 if first and stage > 2 else 1, first=first)
            stages.append(x)
        merged = self.conv(stages[3], "fpn_c5p5")
        levels = {5: merged}
        for level in (4, 3, 2):
            merged = merged.repeat(2, 0).repeat(2, 1) + self.conv(stages[level - 2], f"fpn_c{level}p{level}")
            levels[level] = merged
        smooth = [self.conv(levels[level], f"fpn_p{level}", same=True) for level in (2, 3, 4, 5)]
        return [*smooth, smooth[-1][::2, ::2]]

    def proposals(self, levels: list[Array], side: int) -> Array:
        scores, offsets, anchors = [], [], []
        for level, stride, size in zip(levels, (4, 8, 16, 32, 64), (32, 64, 128, 256, 512), strict=True):
            shared = np.maximum(self.conv(level, "rpn_conv_shared", same=True), 0)
            raw = self.conv(shared, "rpn_class_raw").reshape(-1, 2)
            scores.append(softmax(raw)[:, 1])
            offsets.append(self.conv(shared, "rpn_bbox_pred").reshape(-1, 4))
            for row in range(level.shape[0]):
                for column in range(level.shape[1]):
                    for ratio in (0.5, 1, 2):
                        height, width = size / math.sqrt(ratio), size * math.sqrt(ratio)
                        y, x = row * stride, column * stride
                        anchors.append((y - height / 2, x - width / 2, y + height / 2 - 1, x + width / 2 - 1))
        score = np.concatenate(scores)
        order = np.argsort(-score, kind="stable")[:6000]
        boxes = move(np.array(anchors)[order] / (side - 1), np.concatenate(offsets)[order]).clip(0, 1)
        return boxes[suppress(boxes, 0.7)][:1000]

    def roi_align(self, levels: list[Array], boxes: Array, bins: int, side: int) -> Array:
        pooled = np.zeros((len(boxes), bins, bins, 256))
        for index, (y1, x1, y2, x2) in enumerate(boxes):
            area = max((y2 - y1) * (x2 - x1), 1e-12)
            number = min(5, max(2, 4 + round(math.log2(math.sqrt(area) / (224 / side)))))
            level = levels[number - 2]
            last_y, last_x = level.shape[0] - 1, level.shape[1] - 1
            for row in range(bins):
                for column in range(bins):
                    y = y1 * last_y + row * (y2 - y1) * last_y / (bins - 1)
                    x = x1 * last_x + column * (x2 - x1) * last_x / (bins - 1)
                    if 0 <= y <= last_y and 0 <= x <= last_x:
                        top, left = int(y), int(x)
                        bottom, right = min(top + 1, last_y), min(left + 1, last_x)
                        upper = level[top, left] * (1 - x + left) + level[top, right] * (x - left)
                        lower = level[bottom, left] * (1 - x + left) + level[bottom, right] * (x - left)
                        pooled[index, row, column] = upper * (1 - y + top) + lower * (y - top)
        return pooled

    def classify(self, levels: list[Array], boxes: Array, side: int) -> tuple[Array, Array]:
        pooled = self.roi_align(levels, boxes, 7, side)
        kernel = self.weights["mrcnn_class_conv1"]
        hidden = np.einsum("nijc,ijcd->nd", pooled, kernel["kernel"], optimize=True) + kernel["bias"]
        hidden = np.maximum(self.norm(hidden, "mrcnn_class_bn1"), 0)
        second = self.weights["mrcnn_class_conv2"]
        hidden = np.maximum(self.norm(hidden @ second["kernel"][0, 0] + second["bias"], "mrcnn_class_bn2"), 0)
        logits, fc = self.weights["mrcnn_class_logits"], self.weights["mrcnn_bbox_fc"]
        probabilities = softmax(hidden @ logits["kernel"] + logits["bias"])
        return probabilities, (hidden @ fc["kernel"] + fc["bias"]).reshape(-1, 81, 4)

    def detect(
        self, levels: list[Array], boxes: Array, side: int, window: tuple[float, float, float, float], least: float
    ) -> list[tuple[float, int, Array]]:
        probabilities, offsets = self.classify(levels, boxes, side)
        found = []
        for number in range(1, 81):
            mine = [
                i for i in range(len(boxes)) if probabilities[i].argmax() == number and probabilities[i].max() >= least
            ]
            mine.sort(key=lambda i: -probabilities[i].max())
            if not mine:
                continue
            moved = move(boxes[mine], offsets[mine, number])
            moved[:, 0::2] = moved[:, 0::2].clip(window[0], window[2])
            moved[:, 1::2] = moved[:, 1::2].clip(window[1], window[3])
            found += [(float(probabilities[mine[i]].max()), number, moved[i]) for i in suppress(moved, 0.3)]
        return sorted(found, key=lambda one: -one[0])[:100]

    def masks(self, levels: list[Array], found: list[tuple[float, int, Array]], side: int) -> Array:
        masks = []
        deconv = self.weights["mrcnn_mask_deconv"]
        for x, (_, number, _) in zip(
            self.roi_align(levels, np.array([one[2] for one in found]), 14, side), found, strict=True
        ):
            for layer in range(1, 5):
                x = np.maximum(
                    self.norm(self.conv(x, f"mrcnn_mask_conv{layer}", same=True), f"mrcnn_mask_bn{layer}"), 0
                )
            up = np.zeros((28, 28, 256))
            for i in range(2):
                for j in range(2):
                    up[i::2, j::2] = x @ deconv["kernel"][i, j].T + deconv["bias"]
            masks.append(1 / (1 + np.exp(-self.conv(np.maximum(up, 0), "mrcnn_mask")[..., number])))
        return np.array(masks)


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def move(boxes: Array, offsets: Array) -> Array:
    offsets = offsets * np.array([0.1, 0.1, 0.2, 0.2])
    height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    y = boxes[:, 0] + height / 2 + offsets[:, 0] * height
    x = boxes[:, 1] + width / 2 + offsets[:, 1] * width
    height, width = height * np.exp(offsets[:, 2]), width * np.exp(offsets[:, 3])
    return np.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], 1)


def suppress(boxes: Array, most: float) -> list[int]:
    """Apply non-maximum suppression to boxes sorted best first; return the kept indices."""
    kept: list[int] = []
    for i, box in enumerate(boxes):
        if all(overlap(box, boxes[j]) <= most for j in kept):
            kept.append(i)
    return kept


def overlap(a: Array, b: Array) -> float:
    height, width = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    shared = height * width
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))
