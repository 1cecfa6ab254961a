"""Cutout quality on pictures with ground-truth masks.

DIR holds `images/` and `masks/`, with files of the same stems; a mask is white where the product is. A photo in which
nothing is found counts as an empty cutout. The reference is the saliency of U2-Net-p used directly as alpha, which is
what rembg does with that model; `--rembg` also runs the rembg package itself (it must be installed in the same
environment, with u2netp.onnx in U2NET_HOME).

    python -m bench.cutout_quality DIR [--rembg] [--worst FOLDER] [--every N]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.pictures import read, write
from common.errors import PreconditionError
from common.imaging.codec import Pixels
from common.serving.engines import EngineRegistry
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings

Alpha = NDArray[np.float32]
Method = Callable[[Pixels], Alpha]

BOUNDARY_TOLERANCE = 0.008
"""Tolerance of the boundary F-score, as a fraction of the image diagonal (Perazzi et al., DAVIS, 2016)."""
BACKGROUND_TAKEN = 0.3
"""IoU below which something other than the product was cut out."""
WORST = 10


@dataclass(frozen=True)
class Scores:
    """Scores of one picture.

    Attributes:
        iou: IoU of the masks at alpha > 0.5.
        mae: Mean absolute error of alpha, 0 to 1.
        boundary_f: F-score of the outlines.
        seconds: Time of the method, in seconds.
    """

    iou: float
    mae: float
    boundary_f: float
    seconds: float


def score(alpha: Alpha, truth: Alpha, seconds: float) -> Scores:
    """Score alpha against the ground truth, both (H, W), 0 to 1."""
    found, true = alpha > 0.5, truth > 0.5
    iou = float((found & true).sum() / max(1, (found | true).sum()))
    return Scores(iou, float(np.abs(alpha - truth).mean()), _boundary_f(found, true), seconds)


def _boundary_f(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    reach = max(1, round(BOUNDARY_TOLERANCE * float(np.hypot(*found.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    outlines = [_outline(mask) for mask in (found, true)]
    near = [cv2.dilate(outline.astype(np.uint8), disc) > 0 for outline in outlines]
    precision = float((outlines[0] & near[1]).sum() / max(1, outlines[0].sum()))
    recall = float((outlines[1] & near[0]).sum() / max(1, outlines[1].sum()))
    return 2 * precision * recall / max(1e-9, precision + recall)


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0)


def our_methods() -> dict[str, Method]:
    """Return our cutout on the default engines, and the reference."""
    engines = load_engines(SegmentationSettings(), EngineRegistry())
    saliency = engines.saliency
    if saliency is None:
        raise SystemExit("u2netp.onnx is missing: python -m weights fetch")

    def ours(photo: Pixels) -> Alpha:
        try:
            return np.asarray(cut_out(photo, None, engines).pixels[..., 3] / 255, np.float32)
        except PreconditionError:
            return np.zeros(photo.shape[:2], np.float32)

    return {f"ours ({engines.segmenter.name})": ours, "u2netp alone": lambda photo: saliency.find(photo)}


def rembg_method(model: str = "u2netp") -> Method:
    """Return the alpha method of the rembg package."""
    import rembg

    session = rembg.new_session(model)
    return lambda photo: np.asarray(rembg.remove(photo, session=session, only_mask=True) / 255, np.float32)


def measure(folder: Path, methods: dict[str, Method], every: int, worst_folder: Path | None) -> dict[str, list[Scores]]:
    """Run every method on every Nth picture; write the worst results of the first method."""
    photos = sorted((folder / "images").iterdir())[::every]
    scores: dict[str, list[Scores]] = {name: [] for name in methods}
    sheets: list[tuple[float, str, Pixels]] = []
    for path in photos:
        photo = read(path)
        mask = read(folder / "masks" / f"{path.stem}.png")[..., 0]
        truth = np.asarray(mask / 255, np.float32)
        for position, (name, method) in enumerate(methods.items()):
            start = time.perf_counter()
            alpha = method(photo)
            scores[name].append(score(alpha, truth, time.perf_counter() - start))
            if position == 0:
                sheets.append((scores[name][-1].iou, path.stem, _sheet(photo, alpha, truth)))
    if worst_folder is not None:
        for iou, stem, sheet in sorted(sheets, key=lambda entry: entry[0])[:WORST]:
            write(worst_folder / f"{iou:.3f}_{stem}.jpg", sheet)
    return scores


def _sheet(photo: Pixels, alpha: Alpha, truth: Alpha) -> Pixels:
    """Return the photo, the cutout and the true cutout on magenta, side by side."""
    magenta = np.array([255, 0, 255], np.float32)
    parts = [photo * share[..., None] + magenta * (1 - share[..., None]) for share in (alpha, truth)]
    return np.hstack([photo, *(part.astype(np.uint8) for part in parts)])


def main() -> None:
    """Print a table and, as the last line, our figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.cutout_quality")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rembg", action="store_true")
    parser.add_argument("--worst", type=Path, default=None)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    methods = our_methods()
    if arguments.rembg:
        methods["rembg (u2netp)"] = rembg_method()
    scores = measure(arguments.folder, methods, arguments.every, arguments.worst)
    print(f"{'':24}{'IoU':>8}{'MAE':>8}{'boundary F':>12}{'wrong':>7}{'median s':>10}")
    for name, found in scores.items():
        means = {field: statistics.mean(asdict(one)[field] for one in found) for field in ("iou", "mae", "boundary_f")}
        wrong = sum(one.iou < BACKGROUND_TAKEN for one in found)
        seconds = statistics.median(one.seconds for one in found)
        print(
            f"{name:24}{means['iou']:8.4f}{means['mae']:8.4f}{means['boundary_f']:12.4f}{wrong:7}{seconds:10.2f}",
            flush=True,
        )
        if found is next(iter(scores.values())):
            figures = {"n": len(found), **means, "wrong": wrong, "seconds_per_picture": seconds}
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
