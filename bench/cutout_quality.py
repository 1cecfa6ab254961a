"""Cutout quality on pictures with ground-truth masks.

DIR holds `images/` and `masks/`, with files of the same stems; a mask is white where the product is. What glass lets
through is in `clear/`. `python -m testing.products.render` makes such a folder, var/products. A photo in which nothing
is found counts as an empty cutout. `--kinds` adds a table of ours by kind: the part of a name before its number.

The reference is the saliency of U2-Net-p used directly as alpha, which is what rembg does with that model; `--rembg`
also runs the rembg package itself (it must be installed in the same environment, with u2netp.onnx in U2NET_HOME).

    python -m bench.cutout_quality DIR [--rembg] [--kinds] [--worst FOLDER] [--every N]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.pictures import read, write
from bench.scores import Alpha, Scores, score
from common.errors import PreconditionError
from common.imaging.codec import Pixels
from common.serving.engines import EngineRegistry
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings

Method = Callable[[Pixels], Alpha]

BACKGROUND_TAKEN = 0.3
"""IoU below which something other than the product was cut out."""
WORST = 10


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
        through = folder / "clear" / f"{path.stem}.png"
        clear = np.asarray(read(through)[..., 0] / 255, np.float32) if through.exists() else None
        for position, (name, method) in enumerate(methods.items()):
            start = time.perf_counter()
            alpha = method(photo)
            scores[name].append(score(alpha, truth, time.perf_counter() - start, clear))
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
    parser.add_argument("--kinds", action="store_true")
    parser.add_argument("--worst", type=Path, default=None)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    methods = our_methods()
    if arguments.rembg:
        methods["rembg (u2netp)"] = rembg_method()
    scores = measure(arguments.folder, methods, arguments.every, arguments.worst)
    print(f"{'':24}{'wrong':>7}{HEADER}")
    for name, found in scores.items():
        print(f"{name:24}{sum(one.iou < BACKGROUND_TAKEN for one in found):7}{_row(found)}", flush=True)
    ours = next(iter(scores.values()))
    if arguments.kinds:
        print(f"\n{'':24}{'n':>7}{HEADER}")
        for kind, found in _by_kind(arguments.folder, arguments.every, ours).items():
            print(f"{kind:24}{len(found):7}{_row(found)}")
        kinds = [_means(found) for found in _by_kind(arguments.folder, arguments.every, ours).values()]
        means = {name: _mean([kind[name] for kind in kinds]) for name in kinds[0]}
        print(f"{'mean of the kinds':24}{len(kinds):7}{_cells(means)}")
    else:
        means = _means(ours)
    figures = {"n": len(ours), "wrong": sum(one.iou < BACKGROUND_TAKEN for one in ours), **means}
    print(json.dumps({name: value if value is None else round(value, 4) for name, value in figures.items()}))


COLUMNS = ("iou", "mae", "boundary_f", "mba", "gradient", "opened", "kept", "clear", "seconds")
HEADER = "".join(f"{name.replace('_', ' '):>12}" for name in COLUMNS)


def _means(found: Sequence[Scores]) -> dict[str, float | None]:
    """Return the means of some pictures, as COLUMNS names them; None where none of them has what is meant."""
    openings = sum(one.openings for one in found)
    means: dict[str, float | None] = {
        name: statistics.mean(getattr(one, name) for one in found)
        for name in ("iou", "mae", "boundary_f", "mba", "gradient")
    }
    clear = [one.is_clear for one in found if one.is_clear is not None]
    return {
        **means,
        "opened": sum(one.opened for one in found) / openings if openings else None,
        "kept": statistics.mean(one.is_kept for one in found),
        "clear": statistics.mean(clear) if clear else None,
        "seconds": statistics.median(one.seconds for one in found),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.mean(known) if known else None


def _cells(means: dict[str, float | None]) -> str:
    return "".join(f"{'-':>12}" if means[name] is None else f"{means[name]:12.4f}" for name in COLUMNS)


def _row(found: Sequence[Scores]) -> str:
    return _cells(_means(found))


def _by_kind(folder: Path, every: int, found: Sequence[Scores]) -> dict[str, list[Scores]]:
    kinds: dict[str, list[Scores]] = {}
    for path, one in zip(sorted((folder / "images").iterdir())[::every], found, strict=True):
        kinds.setdefault(path.stem.rpartition("_")[0], []).append(one)
    return kinds


if __name__ == "__main__":
    main()
