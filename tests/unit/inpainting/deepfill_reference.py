"""Slow reference implementation of DeepFill v2 in NumPy, in float64. Pictures are (C, H, W)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.inpainting.engines.deepfill.variant import Variant

Array = NDArray[np.float64]
Weights = Mapping[str, NDArray[np.float32]]


def pad_before(side: int, kernel: int, stride: int, rate: int, rule: str) -> int:
    if rule == "symmetric":
        return rate * (kernel - 1) // 2
    outputs = (side + stride - 1) // stride
    needed = (outputs - 1) * stride + rate * (kernel - 1) + 1
    return max(needed - side, 0) // 2


def convolve(x: Array, weight: Array, bias: Array, stride: int, rate: int, rule: str) -> Array:
    """Convolve pixel by pixel and tap by tap, zero outside the picture."""
    _, _, kernel, _ = weight.shape
    height, width = x.shape[1:]
    out = np.zeros((len(weight), -(-height // stride), -(-width // stride))) + bias[:, None, None]
    top, left = (pad_before(side, kernel, stride, rate, rule) for side in (height, width))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            for u in range(kernel):
                for v in range(kernel):
                    row, column = i * stride + u * rate - top, j * stride + v * rate - left
                    if 0 <= row < height and 0 <= column < width:
                        out[:, i, j] += weight[:, :, u, v] @ x[:, row, column]
    return out


def convolve_by_taps(x: Array, weight: Array, bias: Array, stride: int, rate: int, rule: str) -> Array:
    """Convolve all pixels of a tap at once; a test compares it with `convolve`."""
    kernel = weight.shape[-1]
    height, width = x.shape[1:]
    out = np.zeros((len(weight), -(-height // stride), -(-width // stride))) + bias[:, None, None]
    top, left = (pad_before(side, kernel, stride, rate, rule) for side in (height, width))
    for u in range(kernel):
        for v in range(kernel):
            rows = np.arange(out.shape[1]) * stride + u * rate - top
            columns = np.arange(out.shape[2]) * stride + v * rate - left
            inside = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
            seen = x[:, rows[inside[0]]][:, :, columns[inside[1]]]
            there = np.ix_(np.arange(len(weight)), np.flatnonzero(inside[0]), np.flatnonzero(inside[1]))
            out[there] += np.tensordot(weight[:, :, u, v], seen, 1)
    return out


def elu(x: Array) -> Array:
    return np.asarray(np.where(x > 0, x, np.expm1(np.minimum(x, 0))))


def relu(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0))


def gate(x: Array, activation: str) -> Array:
    half = len(x) // 2
    activated = elu(x[:half]) if activation == "elu" else relu(x[:half])
    return np.asarray(activated / (1 + np.exp(-x[half:])))


def smaller(x: Array, factor: int, rule: str) -> Array:
    """Downscale by nearest neighbour."""
    kept = [side // factor for side in x.shape[1:]]
    if rule == "floor":
        rows, columns = ([i * factor for i in range(n)] for n in kept)
    else:
        rows, columns = (
            [int(i * (side - 1) / (n - 1) + 0.5) if n > 1 else 0 for i in range(n)]
            for side, n in zip(x.shape[1:], kept, strict=True)
        )
    return x[:, rows][:, :, columns]


def patch(x: Array, row: int, column: int, size: int) -> Array:
    """Return the patch (C, size, size) with its first pixel at (row, column), zero outside."""
    cut = np.zeros((len(x), size, size))
    for u in range(size):
        for v in range(size):
            if 0 <= row + u < x.shape[1] and 0 <= column + v < x.shape[2]:
                cut[:, u, v] = x[:, row + u, column + v]
    return cut


def fuse(scores: Array) -> Array:
    """Add the diagonal neighbours of scores (n, n)."""
    n = len(scores)
    fused = np.zeros_like(scores)
    for query in range(n):
        for key in range(n):
            for step in (-1, 0, 1):
                if 0 <= query + step < n and 0 <= key + step < n:
                    fused[query, key] += scores[query + step, key + step]
    return fused


def attend(features: Array, hole: Array, variant: Variant) -> Array:
    """Apply contextual attention to features (C, h, w) around a hole (1, H, W)."""
    small = smaller(features, 2, variant.resize)
    for factor in variant.mask_steps:
        hole = smaller(hole, factor, variant.resize)
    height, width = small.shape[1:]
    places = [(i, j) for i in range(height) for j in range(width)]
    patches = np.array([patch(small, i - 1, j - 1, 3).ravel() for i, j in places])
    known = np.array([float(not patch(hole, i - 1, j - 1, 3).any()) for i, j in places])
    keys = patches / np.maximum(np.linalg.norm(patches, axis=1, keepdims=True), 1e-4)
    scores = patches @ keys.T
    if variant.fuse:
        scores = fuse(scores)
        by_columns = np.array([i * width + j for j in range(width) for i in range(height)])
        turned = fuse(scores[np.ix_(by_columns, by_columns)])
        back = np.argsort(by_columns)
        scores = turned[np.ix_(back, back)]
    scores = scores * known * 10
    attention = np.exp(scores - scores.max(axis=1, keepdims=True))
    attention = attention / attention.sum(axis=1, keepdims=True) * known
    out = np.zeros((len(features), 2 * height + 2, 2 * width + 2))
    raw = np.array([patch(features, 2 * i - 1, 2 * j - 1, 4) for i, j in places])
    for query, (i, j) in enumerate(places):
        out[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += np.tensordot(attention[query], raw, 1)
    return out[:, 1:-1, 1:-1] / 4


RATES = {"conv7": 2, "conv8": 4, "conv9": 8, "conv10": 16}
STRIDES = {"downsample": 2}


def generate(picture: Array, hole: Array, weights: Weights, variant: Variant) -> Array:
    """Run the whole generator on a picture (3, H, W), -1 to 1, with a hole (1, H, W)."""

    def convolved(x: Array, layer: str, stride: int = 1, rate: int = 1) -> Array:
        weight, bias = (weights[f"{layer}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        return convolve_by_taps(x, weight, bias, stride, rate, variant.padding)

    def through(x: Array, *layers: str) -> Array:
        for layer in layers:
            name, _, kind = layer.partition("_")
            if kind == "upsample":
                x = x.repeat(2, axis=1).repeat(2, axis=2)
            rate = RATES[name.removeprefix("x")] if kind == "atrous" else 1
            x = gate(convolved(x, layer, STRIDES.get(kind, 1), rate), "relu" if layer == "pmconv6" else "elu")
        return x

    known = picture * (1 - hole)
    first = through(
        np.concatenate([known, np.ones_like(hole), hole]),
        *("conv1", "conv2_downsample", "conv3", "conv4_downsample", "conv5", "conv6"),
        *("conv7_atrous", "conv8_atrous", "conv9_atrous", "conv10_atrous", "conv11", "conv12"),
        *("conv13_upsample", "conv14", "conv15_upsample", "conv16"),
    )
    rough = np.tanh(convolved(first, "conv17")) * hole + known
    dilated = through(
        rough,
        *("xconv1", "xconv2_downsample", "xconv3", "xconv4_downsample", "xconv5", "xconv6"),
        *("xconv7_atrous", "xconv8_atrous", "xconv9_atrous", "xconv10_atrous"),
    )
    matched = through(rough, "pmconv1", "pmconv2_downsample", "pmconv3", "pmconv4_downsample", "pmconv5", "pmconv6")
    attended = through(attend(matched, hole, variant), "pmconv9", "pmconv10")
    second = through(
        np.concatenate([dilated, attended]),
        *("allconv11", "allconv12", "allconv13_upsample", "allconv14", "allconv15_upsample", "allconv16"),
    )
    return np.tanh(convolved(second, "allconv17")) * hole + known
