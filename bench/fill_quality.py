"""Inpainting quality on holes with known content.

DIR holds `images/` and `masks/`, with files of the same stems; a mask is white where the product is. In each picture, a
hole in the shape of the next picture's product is cut beside the product. Every engine that can run fills it as the
service does (crop, fill, paste back). Metrics cover the hole only:

    psnr        in dB, higher is better
    ssim        structural similarity (Wang et al., 2004), 0 to 1
    perceptual  1 - cosine similarity of Segment Anything embeddings of the filled and the original picture; lower is
                better (as LPIPS does with other networks, whose weights are not available here)
    sharpness   strength of fine detail relative to the original: 1 is as sharp, less is blurred

CASES holds published `case*_raw.png`, `case*_mask.png` and `case*_output.png`; our results are put beside them.

    python -m bench.fill_quality DIR [--cases CASES] [--out FOLDER] [--every N]
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch.nn import functional

from bench.pictures import read, write
from common.errors import StartError
from common.imaging.codec import Mask, Pixels
from common.models.device import choose_device
from common.serving.engines import EngineRegistry
from services.inpainting.engines.base import Inpainter
from services.inpainting.engines.registry import load_engine
from services.inpainting.fill.fill import FillOptions, fill
from services.inpainting.settings import InpaintingSettings
from services.segmentation.engines.registry import SAM_FILES
from services.segmentation.engines.sam.layers import IMAGE_SIZE
from services.segmentation.engines.sam.model import MOBILE_SAM, Sam, in_frame, load_sam
from services.segmentation.settings import SegmentationSettings

HOLE = 0.3
"""Longer side of a hole, as a fraction of the longer image side."""
CLEAR = 9
"""Side of the square that dilates the product before a hole is placed, in pixels."""
FINE = 1.5
"""Sigma of the blur whose residual is fine detail, in pixels."""
SHEETS = 12


@dataclass(frozen=True)
class Scores:
    """Scores of one hole; see the module docstring."""

    psnr: float
    ssim: float
    perceptual: float
    sharpness: float
    seconds: float


def cases(folder: Path, every: int) -> Iterator[tuple[str, Pixels, Mask]]:
    """Yield name, picture and hole; skip pictures without room for a hole."""
    stems = [path.stem for path in sorted((folder / "images").iterdir())]
    for number, stem in enumerate(stems[::every]):
        product = read(folder / "masks" / f"{stem}.png")[..., 0] > 127
        following = stems[(stems.index(stem) + 1) % len(stems)]
        shape = read(folder / "masks" / f"{following}.png")[..., 0] > 127
        hole = hole_beside(product, shape, seed=number)
        if hole is not None:
            yield stem, read(folder / "images" / f"{stem}.jpg"), hole


def hole_beside(product: Mask, shape: Mask, seed: int) -> Mask | None:
    """Return the shape, scaled, at a random place clear of the product; None if there is no such place."""
    left, top, width, height = cv2.boundingRect(shape.astype(np.uint8))
    scale = HOLE * max(product.shape) / max(width, height, 1)
    size = max(2, round(width * scale)), max(2, round(height * scale))
    cut = cv2.resize(shape[top : top + height, left : left + width].astype(np.uint8), size) > 0
    taken = cv2.dilate(product.astype(np.float32), np.ones((CLEAR, CLEAR)))
    if size[0] >= taken.shape[1] or size[1] >= taken.shape[0]:
        return None
    # Number of taken pixels under the shape at every possible place.
    overlap = cv2.matchTemplate(taken, np.asarray(cut, np.float32), cv2.TM_CCORR)
    rows, columns = np.nonzero(overlap < 0.5)
    if not len(rows):
        return None
    choice = np.random.default_rng(seed).integers(len(rows))
    hole = np.zeros(product.shape, np.bool_)
    hole[rows[choice] : rows[choice] + size[1], columns[choice] : columns[choice] + size[0]] = cut
    return hole


class Seen:
    """Perceptual distance by the image encoder of MobileSAM."""

    def __init__(self) -> None:
        settings = SegmentationSettings()
        self._model: Sam = load_sam(settings.weights_dir / SAM_FILES[MOBILE_SAM], choose_device(settings))[0]

    @torch.inference_mode()
    def distance(self, picture: Pixels, other: Pixels, hole: Mask) -> float:
        """Return 1 - cosine similarity of the embeddings, averaged over the hole."""
        one, two = (self._embedding(pixels) for pixels in (picture, other))
        scale = IMAGE_SIZE / max(hole.shape)
        frame = np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        height, width = (round(side * scale) for side in hole.shape)
        frame[:height, :width] = cv2.resize(hole.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        inside = cv2.resize(frame, one.shape[-2:], interpolation=cv2.INTER_AREA) > 0
        likeness = functional.cosine_similarity(one, two, dim=1)[0].cpu().numpy()
        return float(1 - likeness[inside].mean())

    def _embedding(self, picture: Pixels) -> torch.Tensor:
        scale = IMAGE_SIZE / max(picture.shape[:2])
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = torch.from_numpy(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=interpolation))
        embedding: torch.Tensor = self._model.image_encoder(in_frame(resized.permute(2, 0, 1).float())[None])
        return embedding.float()


def score(filled: Pixels, picture: Pixels, hole: Mask, seen: Seen, seconds: float) -> Scores:
    """Score a filled picture against the original."""
    error = float(((filled[hole].astype(np.float64) - picture[hole]) ** 2).mean())
    _, similarity = structural_similarity(picture, filled, channel_axis=2, full=True)  # type: ignore[no-untyped-call]
    inner = cv2.erode(hole.astype(np.uint8), np.ones((5, 5))) > 0
    strengths = [float(_fine(pixels)[inner].std()) for pixels in (filled, picture)]
    return Scores(
        psnr=10 * float(np.log10(255**2 / max(error, 1e-3))),
        ssim=float(similarity[hole].mean()),
        perceptual=seen.distance(filled, picture, hole),
        sharpness=strengths[0] / max(strengths[1], 1e-3),
        seconds=seconds,
    )


def _fine(picture: Pixels) -> Pixels:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), FINE))


def engines() -> list[Inpainter]:
    """Load every engine that can run here."""
    found = []
    for name in ("deepfill", "migan", "opencv"):
        try:
            found.append(load_engine(InpaintingSettings(engine=name), EngineRegistry()))
        except StartError as error:
            print(f"without {name}: {error}")
    return found


def measure(folder: Path, every: int, out: Path | None, candidates: Sequence[Inpainter]) -> dict[str, list[Scores]]:
    """Fill every hole with every engine; return their scores."""
    seen, options = Seen(), _options()
    scores: dict[str, list[Scores]] = {engine.name: [] for engine in candidates}
    for number, (stem, picture, hole) in enumerate(cases(folder, every)):
        results = []
        for engine in candidates:
            start = time.perf_counter()
            results.append(fill(picture, hole, engine, options))
            scores[engine.name].append(score(results[-1], picture, hole, seen, time.perf_counter() - start))
        if out is not None and number < SHEETS:
            write(out / f"{stem}.jpg", np.hstack([picture, _marked(picture, hole), *results]))
    return scores


def put_beside(folder: Path, out: Path, candidates: Sequence[Inpainter]) -> None:
    """Write sheets of the published cases: raw, hole, published result, ours."""
    for raw in sorted(folder.glob("case*_raw.png")):
        stem = raw.stem.removesuffix("_raw")
        picture, hole = read(raw), read(folder / f"{stem}_mask.png")[..., 0] > 127
        ours = [fill(picture, hole, engine, _options()) for engine in candidates]
        write(
            out / f"{stem}.jpg",
            np.hstack([picture, _marked(picture, hole), read(folder / f"{stem}_output.png"), *ours]),
        )


def _options() -> FillOptions:
    settings = InpaintingSettings()
    return FillOptions(settings.dilation, settings.context, settings.batch_size)


def _marked(picture: Pixels, hole: Mask) -> Pixels:
    return np.where(hole[..., None], np.array([255, 0, 255], np.uint8), picture)


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.fill_quality")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    candidates = engines()
    scores = measure(arguments.folder, arguments.every, arguments.out, candidates)
    if arguments.cases and arguments.out:
        put_beside(arguments.cases, arguments.out, candidates)
    figures = {name: _means(of) for name, of in scores.items()}
    print(f"{'engine':20} " + " ".join(f"{key:>10}" for key in next(iter(figures.values()))))
    for name, means in figures.items():
        print(f"{name:20} " + " ".join(f"{value:10}" for value in means.values()))
    print(json.dumps({"n": len(next(iter(scores.values()))), **figures}))


def _means(scores: Sequence[Scores]) -> dict[str, float]:
    rows = [asdict(one) for one in scores]
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


if __name__ == "__main__":
    main()
